/** Work that takes a while, in steps: whoever runs it may look elsewhere between two of them. */

/** Yields which part is done, from 0 to 1. */
export type Steps<Result> = Generator<number, Result, undefined>;

/** Is told which part is done. */
export type Progress = (part: number) => void;

/** All steps at once. */
export function run<Result>(steps: Steps<Result>, progress?: Progress): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    progress?.(step.value);
  }
}
