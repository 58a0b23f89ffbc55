/** What uPlot does not draw itself: limits as lines, doubtful quality as hatch, alarms as marks. */

import type uPlot from 'uplot';
import type { Limit, Transition } from '../api/shape';
import { kind, KINDS, type Kind } from '../alarm/state';
import { SHAPES } from '../alarm/shapes';
import { token } from '../theme/theme';
import type { Span } from './columns';

export interface Extras {
  /** Limits of several points that lie on each other are one line with one label. */
  limits: { limit: Limit; scale: string; label: string }[];
  /** One row a series. */
  doubtful: Span[][];
  alarms: Transition[];
}

const LANE_PX = 7;
const MARK_PX = 12;

/** Below the lines. */
export function drawHatch(plot: uPlot, extras: Extras): void {
  const context = plot.ctx;
  const pattern = hatch(context);
  if (!pattern) return;
  const { left, top, width, height } = plot.bbox;
  const ratio = devicePixelRatio;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.fillStyle = pattern;
  const alone = extras.doubtful.length === 1;
  extras.doubtful.forEach((spans, lane) => {
    for (const span of spans) {
      const from = plot.valToPos(span.from_ms / 1000, 'x', true);
      const wide = Math.max(2 * ratio, plot.valToPos(span.to_ms / 1000, 'x', true) - from);
      // With several series a full hatch would not say whose it is: each has a lane of its own at the foot.
      if (alone) context.fillRect(from, top, wide, height);
      else context.fillRect(from, top + height - (lane + 1) * LANE_PX * ratio, wide, (LANE_PX - 1) * ratio);
    }
  });
  context.restore();
}

/** Above the lines. */
export function drawLimits(plot: uPlot, extras: Extras): void {
  const context = plot.ctx;
  const { left, top, width, height } = plot.bbox;
  const ratio = devicePixelRatio;
  context.save();
  context.font = `600 ${11 * ratio}px ${token('sans') || 'sans-serif'}`;
  context.lineWidth = ratio;
  const written: { y: number; right: number }[] = [];
  for (const { limit, scale, label } of extras.limits) {
    if (limit.set_point === null) continue;
    const y = plot.valToPos(limit.set_point, scale, true);
    if (!(y >= top && y <= top + height)) continue;
    context.strokeStyle = context.fillStyle = colour(kind(limit));
    context.setLineDash([6 * ratio, 4 * ratio]);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + width, y);
    context.stroke();
    context.textAlign = 'left';
    context.textBaseline = 'bottom';
    const room = 14 * ratio;
    // At the old end, out of the way of what happens now; labels of limits that lie close together stand side by side.
    const start = Math.max(left + 6 * ratio, ...written.filter((other) => Math.abs(other.y - y) < room).map((other) => other.right + 10 * ratio));
    context.fillText(label, start, y - 2 * ratio);
    written.push({ y, right: start + context.measureText(label).width });
  }
  context.restore();
}

/** Along the upper edge: the moment each alarm came, in the shape of its priority. */
export function drawAlarms(plot: uPlot, extras: Extras): void {
  const context = plot.ctx;
  const { left, top, width, height } = plot.bbox;
  const size = MARK_PX * devicePixelRatio;
  for (const transition of extras.alarms) {
    const x = plot.valToPos(transition.time_ms / 1000, 'x', true);
    if (x < left || x > left + width) continue;
    const of = kind({ condition: condition(transition.alarm), priority: transition.priority });
    context.save();
    context.strokeStyle = context.fillStyle = colour(of);
    context.lineWidth = devicePixelRatio;
    context.globalAlpha = 0.5;
    context.beginPath();
    context.moveTo(x, top + size);
    context.lineTo(x, top + height);
    context.stroke();
    context.globalAlpha = 1;
    context.translate(x - size / 2, top + 2);
    context.scale(size / 16, size / 16);
    const shape = new Path2D(SHAPES[of]);
    if (of === 'fault') {
      context.lineWidth = 2.2;
      context.stroke(shape);
    } else {
      context.fill(shape);
    }
    context.restore();
  }
}

/** `GT-101.HH` → `HH`: an alarm's id ends with its condition. */
function condition(alarm: string): Limit['condition'] {
  return (alarm.split('.').at(-1) ?? 'ON') as Limit['condition'];
}

const NAMES: Record<Kind, string> = { 1: 'p1', 2: 'p2', 3: 'p3', 4: 'p4', fault: 'fault' };
const colour = (of: Kind): string => token(NAMES[KINDS.includes(of) ? of : 'fault']);

function hatch(context: CanvasRenderingContext2D): CanvasPattern | null {
  const tile = document.createElement('canvas');
  const size = 6 * devicePixelRatio;
  tile.width = tile.height = size;
  const pen = tile.getContext('2d');
  if (!pen) return null;
  pen.strokeStyle = token('fault');
  pen.globalAlpha = 0.55;
  pen.lineWidth = devicePixelRatio;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  return context.createPattern(tile, 'repeat');
}
