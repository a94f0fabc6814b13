/** What ops are called where there is little room. */

const CONVOLUTION = /^conv(\d+)x(\d+)(-bn-relu)?$/;
const POOLING = /^maxpool(\d+)x(\d+)$/;

/** "3×3" for conv3x3-bn-relu, "max 3×3" for maxpool3x3; any other name as it is. */
export function shortOp(name: string): string {
  const convolution = CONVOLUTION.exec(name);
  if (convolution) return `${convolution[1]}×${convolution[2]}`;
  const pooling = POOLING.exec(name);
  return pooling ? `max ${pooling[1]}×${pooling[2]}` : name;
}
