/** Simulated time as people read it. */

export type TimeUnit = 'minutes' | 'hours' | 'days';

const SECONDS: Record<TimeUnit, number> = { minutes: 60, hours: 3600, days: 86400 };
const FROM: readonly TimeUnit[] = ['days', 'hours', 'minutes'];

/** The unit in which times up to some seconds are read: days from two on, hours from two on. */
export function unitFor(seconds: number): TimeUnit {
  return FROM.find((unit) => seconds >= 2 * SECONDS[unit]) ?? 'minutes';
}

export function inUnit(seconds: number, unit: TimeUnit): number {
  return seconds / SECONDS[unit];
}

/** A time in a unit, without it. */
export function timeFigure(seconds: number, unit: TimeUnit): string {
  if (!Number.isFinite(seconds)) return '–';
  const number = inUnit(seconds, unit);
  return number >= 100 ? number.toFixed(0) : number >= 10 ? number.toFixed(1) : number.toFixed(2);
}

/** A time with its unit: "3.20 days". */
export function duration(seconds: number, unit: TimeUnit = unitFor(seconds)): string {
  return Number.isFinite(seconds) ? `${timeFigure(seconds, unit)} ${unit}` : '–';
}
