import { dateTime } from '../clock/format';
import { shared } from '../i18n/shared';
import { figure } from '../value/Reading';
import { at } from './columns';
import { colourOf, type TrendLine } from './TrendChart';

/** What each line says under the cursor; without a cursor, what it said last. */
export function Readout({ lines, time_ms }: { lines: readonly TrendLine[]; time_ms: number | null }) {
  return (
    <div class="scroll">
      <table class="readout">
        <thead>
          <tr>
            <th>{shared('column.point')}</th>
            <th class="right">{time_ms === null ? shared('trend.last') : dateTime(time_ms).slice(5)}</th>
            <th class="right extent">{shared('trend.extent')}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <Line key={`${line.series.point}${line.before ? '<' : ''}`} line={line} colour={colourOf(lines, line)} time_ms={time_ms} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({ line, colour, time_ms }: { line: TrendLine; colour: string; time_ms: number | null }) {
  const { series } = line;
  const found = time_ms === null ? (series.time_ms.length > 0 ? series.time_ms.length - 1 : null) : at(series, time_ms);
  return (
    <tr>
      <td class="name">
        <span class={line.before ? 'swatch before' : 'swatch'} style={{ borderColor: colour }} />
        <span class="muted">{series.point}</span> {line.label}
        {line.before && <span class="muted"> {shared('trend.before')}</span>}
      </td>
      <td class="right strong">{found === null ? <span class="muted">{shared('trend.gap')}</span> : <Said line={line} place={found} />}</td>
      <td class="right muted extent">{found !== null && series.step_ms > 0 && extent(line, found)}</td>
    </tr>
  );
}

function Said({ line, place }: { line: TrendLine; place: number }) {
  const mean = line.series.mean[place];
  if (mean == null) return <span class="text-fault">{shared.orCode('cause', line.series.cause[place] ?? 'unknown-code')}</span>;
  return (
    <>
      {say(line, mean)} {line.point?.states ? '' : line.series.unit}
    </>
  );
}

function extent(line: TrendLine, place: number): string {
  const [min, max] = [line.series.min[place], line.series.max[place]];
  return min == null || max == null || line.point?.states ? '' : `${say(line, min)} … ${say(line, max)}`;
}

const say = (line: TrendLine, value: number): string => (line.point ? figure(value, line.point) : value.toPrecision(4));
