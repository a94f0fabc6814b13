/** What the colours of points mean. */
import { palette } from '../draw/palette';
import { axisLabel, figure } from '../draw/scales';
import { useShared } from './context';
import { theme } from './theme';

export function Legend() {
  const { explorer, scene } = useShared();
  const axis = scene.colourAxis.value;
  const values = explorer.values(explorer.colour.value).value;
  if (axis === null || values === null || explorer.mode.value === 'density') return null;
  const { column } = values;
  const colours = palette('viridis', theme.value === 'dark');
  const label = `Colour: ${axisLabel(column)}`;
  if (column.integer && axis.high - axis.low <= 12) {
    const steps = Array.from({ length: axis.high - axis.low + 1 }, (_, at) => axis.low + at);
    return (
      <div class="nb-legend" role="img" aria-label={`${label}, ${axis.low} to ${axis.high}`}>
        <span class="nb-legend-name">{label}</span>
        <span class="nb-legend-steps">
          {steps.map((value) => (
            <span key={value}>
              <i style={{ background: colours[Math.round(axis.position(value) * 255)] }} />
              {value}
            </span>
          ))}
        </span>
      </div>
    );
  }
  const stops = colours.filter((_, at) => at % 15 === 0).join(',');
  return (
    <div
      class="nb-legend"
      role="img"
      aria-label={`${label}, ${figure(column, axis.low)} to ${figure(column, axis.high)}`}
    >
      <span class="nb-legend-name">{label}</span>
      <span class="nb-legend-bar">
        <span>
          {values.low < axis.low ? '≤ ' : ''}
          {figure(column, axis.low)}
        </span>
        <i style={{ background: `linear-gradient(to right, ${stops})` }} />
        <span>
          {values.high > axis.high ? '≥ ' : ''}
          {figure(column, axis.high)}
        </span>
      </span>
    </div>
  );
}
