import { dateTime } from '../clock/format';
import { shared } from '../i18n/shared';
import { figure } from '../value/Reading';
import { at, extent } from './columns';
import { colourOf, sent, type TrendLine } from './TrendChart';

/** What each line says under the cursor; without a cursor, what it said last and how far it went in the span that is shown. */
export function Readout({ lines, time_ms }: { lines: readonly TrendLine[]; time_ms: number | null }) {
  const extents = lines.map((line) => sayExtent(line, time_ms));
  // Of raw readings under the cursor, and of what is on or off, there is none: no column then, rather than an empty one.
  const some = extents.some((extent) => extent !== '');
  return (
    <div class="scroll">
      <table class="readout">
        <thead>
          <tr>
            <th>{shared('column.point')}</th>
            <th class="right">{time_ms === null ? shared('trend.last') : dateTime(time_ms).slice(5)}</th>
            {some && <th class="right extent">{shared('trend.extent')}</th>}
          </tr>
        </thead>
        <tbody>
          {lines.map((line, place) => (
            <Line key={`${line.series.point}${line.before ? '<' : ''}`} line={line} colour={colourOf(lines, line)} time_ms={time_ms} extent={some ? (extents[place] ?? '') : null} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({ line, colour, time_ms, extent }: { line: TrendLine; colour: string; time_ms: number | null; extent: string | null }) {
  const { series } = line;
  const found = time_ms === null ? (series.time_ms.length > 0 ? series.time_ms.length - 1 : null) : at(sent(line), time_ms);
  return (
    <tr>
      <td class="name">
        <span class={line.before ? 'swatch before' : 'swatch'} style={{ borderColor: colour }} />
        <span class="muted">{series.point}</span> {line.label}
        {line.before && <span class="muted"> {shared('trend.before')}</span>}
      </td>
      <td class="right strong">{found === null ? <span class="muted">{shared('trend.gap')}</span> : <Said line={line} place={found} />}</td>
      {extent !== null && <td class="right muted extent">{extent}</td>}
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

function sayExtent(line: TrendLine, time_ms: number | null): string {
  const found = line.point?.states ? null : extent(sent(line), time_ms);
  return found === null ? '' : `${say(line, found.min)} … ${say(line, found.max)}`;
}

const say = (line: TrendLine, value: number): string => (line.point ? figure(value, line.point) : value.toPrecision(4));
