/** What the colours of points mean. */
import { useShared } from './context';
import { legendOf } from './legendOf';
import { theme } from './theme';

export function Legend() {
  const legend = legendOf(useShared(), theme.value === 'dark');
  // Its place is kept while a column is read.
  if (legend === null) return <div class="nb-legend" />;
  const { label, bar, steps } = legend;
  const ends = bar === null ? [steps[0].text, steps[steps.length - 1].text] : [bar.low, bar.high];
  return (
    <div class="nb-legend" role="img" aria-label={`${label}, ${ends[0]} to ${ends[1]}`}>
      <span class="nb-legend-name">{label}</span>
      {bar === null ? (
        <span class="nb-legend-steps">
          {steps.map(({ colour, text }) => (
            <span key={text}>
              <i style={{ background: colour }} />
              {text}
            </span>
          ))}
        </span>
      ) : (
        <span class="nb-legend-bar">
          <span>{bar.low}</span>
          <i style={{ background: `linear-gradient(to right, ${bar.stops.join(',')})` }} />
          <span>{bar.high}</span>
        </span>
      )}
    </div>
  );
}
