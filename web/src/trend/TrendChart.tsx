import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Limit, Point, Series, Transition } from '../api/shape';
import { day, timeOfDay } from '../clock/format';
import { language } from '../i18n/language';
import { shared } from '../i18n/shared';
import { shown, token } from '../theme/theme';
import { LINES_MAX, columns, doubtful, type Sent } from './columns';
import { drawAlarms, drawHatch, drawLimits, type Extras } from './drawing';
import { Readout } from './Readout';
import './trend.css';

export interface TrendLine {
  series: Series;
  label: string;
  /** Limits and precision; null where the point is not known. */
  point: Point | null;
  /** The same point a day before: dashed, without limits. */
  before?: boolean;
}

interface TrendChartProps {
  lines: readonly TrendLine[];
  transitions: readonly Transition[];
  /** There are older ones within the span. */
  cut?: boolean | undefined;
  from_ms: number;
  to_ms: number;
  height_px: number;
  /** Dragging chooses a range; a double click asks for the whole again (null). */
  onRange?: (range: { from_ms: number; to_ms: number } | null) => void;
}

/** Up to ten points over time. */
export function TrendChart({ lines, transitions, cut, from_ms, to_ms, height_px, onRange }: TrendChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [cursor_ms, setCursor] = useState<number | null>(null);
  const width = useWidth(frame);
  const plot = useRef<uPlot | null>(null);
  const given: Given = { lines, transitions, from_ms, to_ms, onRange: (chosen) => onRange?.(chosen), onCursor: setCursor };
  const held = useRef(given);
  held.current = given;
  const structure = JSON.stringify([lines.map(shapeOf), width, height_px, shown.value, language.value]);

  useEffect(() => {
    const element = frame.current;
    if (!element || width === 0) return;
    const drawn = new uPlot(options(held, width, height_px), data(held.current.lines), element);
    plot.current = drawn;
    return () => {
      plot.current = null;
      drawn.destroy();
    };
  }, [structure]);

  // New readings alone do not build the plot anew: a hand that is dragging over it keeps its hold.
  useEffect(() => plot.current?.setData(data(lines)), [lines, transitions, from_ms, to_ms]);

  return (
    <figure class="trend" aria-label={shared('trend.figure', { points: lines.map((line) => line.label).join(', ') })}>
      <div ref={frame} class="plot live" style={{ height: `${height_px}px` }} />
      {cut && <p class="small muted">{shared('trend.cut', { count: transitions.length })}</p>}
      <Readout lines={lines} time_ms={cursor_ms} />
    </figure>
  );
}

interface Given {
  lines: readonly TrendLine[];
  transitions: readonly Transition[];
  from_ms: number;
  to_ms: number;
  onCursor: (time_ms: number | null) => void;
  onRange: (range: { from_ms: number; to_ms: number } | null) => void;
}

/** A point and its day before share a colour. */
export function colourOf(lines: readonly TrendLine[], line: TrendLine): string {
  const place = lines.findIndex((other) => other.series.point === line.series.point);
  return token(`trend-${(Math.max(0, place) % LINES_MAX) + 1}`);
}

export const sent = (line: TrendLine): Sent => ({ series: line.series, heartbeat_ms: line.point?.heartbeat_ms });

/** Lines of one unit share a scale. */
const scaleOf = (line: TrendLine): string => `unit ${line.series.unit}`;

function data(lines: readonly TrendLine[]): uPlot.AlignedData {
  const { time_s, cells } = columns(lines.map(sent));
  return [time_s, ...cells.flatMap(({ mean, min, max }) => [mean, min, max])] as uPlot.AlignedData;
}

/** What a plot is built on; all else only moves within it. */
const shapeOf = (line: TrendLine): unknown[] => [line.series.point, line.series.unit, line.before, line.label, line.point?.limits.length, line.point?.states !== undefined];

/** Everything that moves is read from `held` when it is drawn. */
function options(held: { current: Given }, width: number, height: number): uPlot.Options {
  const { lines } = held.current;
  const units = [...new Set(lines.map(scaleOf))];
  return {
    width,
    height,
    padding: [10, 8, 0, 0],
    // Every zone of the screen's machine shows the site's time.
    tzDate: (time_s) => uPlot.tzDate(new Date(time_s * 1000), 'Asia/Shanghai'),
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    scales: { x: { time: true, range: () => [held.current.from_ms / 1000, held.current.to_ms / 1000] }, ...Object.fromEntries(units.map((unit) => [unit, scale(lines, unit)])) },
    axes: [timeAxis(held), ...units.slice(0, 2).map((unit, place) => valueAxis(unit, place === 1))],
    series: [{}, ...lines.flatMap((line) => lineSeries(line, colourOf(lines, line)))],
    bands: lines.map((line, place) => ({ series: [3 * place + 3, 3 * place + 2] as uPlot.Band.Bounds, fill: `${colourOf(lines, line)}${line.before ? '00' : '26'}` })),
    hooks: {
      drawAxes: [(plot) => drawHatch(plot, extrasOf(held.current))],
      draw: [(plot) => drawLimits(plot, extrasOf(held.current)), (plot) => drawAlarms(plot, extrasOf(held.current))],
      setCursor: [(plot) => held.current.onCursor(plot.cursor.left == null || plot.cursor.left < 0 ? null : plot.posToVal(plot.cursor.left, 'x') * 1000)],
      setSelect: [(plot) => chosen(plot, held.current.onRange)],
      ready: [(plot) => plot.over.addEventListener('dblclick', () => held.current.onRange(null))],
    },
  };
}

function chosen(plot: uPlot, onRange: Given['onRange']): void {
  const { left, width } = plot.select;
  // A click that trembled is no range.
  if (width < 8) return;
  onRange({ from_ms: Math.round(plot.posToVal(left, 'x') * 1000), to_ms: Math.round(plot.posToVal(left + width, 'x') * 1000) });
}

function extrasOf({ lines, transitions }: Given): Extras {
  const own = lines.filter((line) => !line.before);
  return {
    limits: limitsOf(own),
    doubtful: own.map((line) => doubtful(sent(line))),
    alarms: transitions.filter((transition) => transition.cause === 'active'),
  };
}

/** Limits that several points share are named once. A single point needs no name at its limits. */
function limitsOf(lines: readonly TrendLine[]): Extras['limits'] {
  const groups = new Map<string, { limit: Limit; scale: string; points: string[] }>();
  for (const line of lines) {
    for (const limit of line.point?.limits ?? []) {
      const key = [scaleOf(line), limit.condition, limit.set_point, limit.priority].join();
      const group = groups.get(key) ?? { limit, scale: scaleOf(line), points: [] };
      group.points.push(line.series.point);
      groups.set(key, group);
    }
  }
  return [...groups.values()].map(({ limit, scale, points }) => ({ limit, scale, label: [lines.length > 1 ? points.join(', ') : '', limit.condition, limit.set_point].filter((part) => part !== '').join(' ') }));
}

/** The range holds the values and the lowest limits near them, so that a calm line is not stretched into a mountain. */
function scale(lines: readonly TrendLine[], unit: string): uPlot.Scale {
  const points = lines.filter((line) => scaleOf(line) === unit).flatMap((line) => line.point ?? []);
  const set = points.flatMap((point) => point.limits.flatMap((limit) => limit.set_point ?? []));
  const spans = points.map((point) => point.high - point.low);
  return {
    range: (_plot, low, high) => {
      const all = [low, high, ...set].filter((figure): figure is number => typeof figure === 'number' && Number.isFinite(figure));
      if (all.length === 0) return [0, 1];
      const [least, most] = [Math.min(...all), Math.max(...all)];
      const air = (most - least || Math.max(...spans, 1) / 10) * 0.08;
      return [least >= 0 ? Math.max(0, least - air) : least - air, most + air];
    },
  };
}

function lineSeries(line: TrendLine, stroke: string): uPlot.Series[] {
  const edge: uPlot.Series = { scale: scaleOf(line), stroke: 'transparent', width: 0, points: { show: false }, ...stepped(line) };
  const dash = line.before ? { dash: [4, 4] } : {};
  return [{ scale: scaleOf(line), stroke, width: line.before ? 1 : 1.75, points: { show: false }, ...dash, ...stepped(line) }, edge, edge];
}

/** A discrete point holds its state until it changes. */
function stepped(line: TrendLine): Partial<uPlot.Series> {
  const steps = uPlot.paths.stepped;
  return line.point?.states && steps ? { paths: steps({ align: 1 }) } : {};
}

function timeAxis(held: { current: Given }): uPlot.Axis {
  return {
    stroke: token('muted'),
    grid: { stroke: token('rule'), width: 1 },
    ticks: { stroke: token('rule'), width: 1 },
    font: font(),
    space: 80,
    size: 34,
    values: (_plot, splits) => splits.map((time_s) => stamp(time_s * 1000, held.current.to_ms - held.current.from_ms)),
  };
}

function stamp(time_ms: number, span_ms: number): string {
  if (span_ms > 36 * 3600_000) return `${day(time_ms).slice(5)} ${timeOfDay(time_ms).slice(0, 5)}`;
  return span_ms > 10 * 60_000 ? timeOfDay(time_ms).slice(0, 5) : timeOfDay(time_ms);
}

function valueAxis(unit: string, right: boolean): uPlot.Axis {
  return {
    scale: unit,
    side: right ? 1 : 3,
    label: unit.slice('unit '.length),
    labelSize: 16,
    labelGap: 0,
    labelFont: font(),
    stroke: token('muted'),
    grid: { show: !right, stroke: token('rule'), width: 1 },
    ticks: { show: false },
    font: font(),
    size: 48,
  };
}

const font = (): string => `12px ${token('sans') || 'sans-serif'}`;

/** The width of the frame, followed as it changes. */
function useWidth(frame: { current: HTMLDivElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const watcher = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  return width;
}
