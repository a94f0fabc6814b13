/** A cell as a picture: boxes of ops, edges from input to output. */
import { useId } from 'preact/hooks';
import { shortOp } from '../engine';
import { KINDS } from './palette';
import { BOX, layout } from './layout';

interface Props {
  n: number;
  edges: readonly (readonly [number, number])[];
  /** Of vertices 1 to n - 2. */
  ops: readonly number[];
  /** Names of ops. */
  names: readonly string[];
  label: string;
  /** Vertices that are drawn faintly: what was pruned. */
  faint?: ReadonlySet<number>;
  /** Edges "x,y" and vertices that differ from another cell. */
  changedEdges?: ReadonlySet<string>;
  changedVertices?: ReadonlySet<number>;
  /** The vertex that is chosen, and what a click on one does. */
  chosen?: number | null;
  onVertex?: (vertex: number) => void;
}

export function CellDrawing(props: Props) {
  const { n, edges, ops, names, label, faint, changedEdges, changedVertices, chosen, onVertex } =
    props;
  const arrow = useId();
  const { width, height, centres, paths } = layout(n, edges);
  const nameOf = (vertex: number) =>
    vertex === 0 ? 'input' : vertex === n - 1 ? 'output' : shortOp(names[ops[vertex - 1]]);
  return (
    <svg
      class="nb-cell"
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={label}
    >
      <defs>
        <marker
          id={arrow}
          viewBox="0 0 8 8"
          refX="4"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto"
        >
          <path d="M0 0.8L7 4L0 7.2Z" />
        </marker>
      </defs>
      {paths.map(({ edge: [x, y], path }) => {
        const changed = changedEdges?.has(`${x},${y}`) === true;
        const pale = faint?.has(x) === true || faint?.has(y) === true;
        return (
          <path
            key={`${x},${y}`}
            class={`nb-edge${changed ? ' nb-changed' : ''}${pale ? ' nb-pale' : ''}`}
            d={path}
            marker-end={`url(#${arrow})`}
          />
        );
      })}
      {centres.map(([x, y], vertex) => {
        const end = vertex === 0 || vertex === n - 1;
        const colour = end ? undefined : KINDS[ops[vertex - 1] % KINDS.length];
        const name = [
          'nb-vertex',
          end && 'nb-end',
          faint?.has(vertex) === true && 'nb-pale',
          changedVertices?.has(vertex) === true && 'nb-changed',
          chosen === vertex && 'nb-chosen',
        ];
        return (
          <g
            key={vertex}
            class={name.filter(Boolean).join(' ')}
            transform={`translate(${x} ${y})`}
            style={onVertex && { cursor: 'pointer' }}
            onClick={onVertex && (() => onVertex(vertex))}
          >
            <title>{`vertex ${vertex}: ${end ? nameOf(vertex) : names[ops[vertex - 1]]}`}</title>
            <rect
              x={-BOX.width / 2}
              y={-BOX.height / 2}
              width={BOX.width}
              height={BOX.height}
              rx={5}
              style={colour === undefined ? undefined : { stroke: colour }}
            />
            {colour !== undefined && (
              <rect
                x={-BOX.width / 2}
                y={-BOX.height / 2}
                width={6}
                height={BOX.height}
                rx={3}
                style={{ fill: colour, stroke: 'none' }}
              />
            )}
            <text y={4.5} x={colour === undefined ? 0 : 3} text-anchor="middle">
              {nameOf(vertex)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
