/** What the page knows of cells without a server: no DOM, so that a worker runs it too. */

export { cellOfWords, wordsOf, MOST_VERTICES, type Cell, type SpaceShape } from './cell';
export { EngineWorker, hashTexts, type Options } from './client';
export { differences, type Differences } from './differences';
export { Distances, UNCONNECTED } from './distances';
export { editsFrom, editsTo, type Edit } from './edits';
export { Finder, type CellColumns } from './finder';
export { hashOf } from './hash';
export { judge, type Raw, type Verdict } from './judge';
export { least } from './least';
export { md5 } from './md5';
export { shortOp } from './names';
export { pathsOf, shape, type Shape } from './shape';
