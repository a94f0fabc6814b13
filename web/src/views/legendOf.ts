/** What the colours of points mean, as the page and pictures say it. */
import { palette } from '../draw/palette';
import type { LegendOf } from '../draw/picture';
import { axisLabel, figure } from '../draw/scales';
import type { Shared } from './context';

/** Null while columns are read. `most` is of the density, where it is known. */
export function legendOf({ explorer, scene }: Shared, dark: boolean, most = 0): LegendOf | null {
  const colours = palette('viridis', dark);
  const stops = colours.filter((_, at) => at % 15 === 0);
  if (explorer.mode.value === 'density') {
    const high = most > 0 ? most.toLocaleString('en') : 'most';
    return { label: 'Colour: cells in one square', bar: { stops, low: '1', high }, steps: [] };
  }
  const axis = scene.colourAxis.value;
  const values = explorer.values(explorer.colour.value).value;
  if (axis === null || values === null) return null;
  const { column } = values;
  const label = `Colour: ${axisLabel(column)}`;
  if (column.integer && axis.high - axis.low <= 12) {
    const numbers = Array.from({ length: axis.high - axis.low + 1 }, (_, at) => axis.low + at);
    const steps = numbers.map((value) => ({
      colour: colours[Math.round(axis.position(value) * 255)],
      text: String(value),
    }));
    return { label, bar: null, steps };
  }
  const low = `${values.low < axis.low ? '≤ ' : ''}${figure(column, axis.low)}`;
  const high = `${values.high > axis.high ? '≥ ' : ''}${figure(column, axis.high)}`;
  return { label, bar: { stops, low, high }, steps: [] };
}
