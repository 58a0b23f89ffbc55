import type { Alarm, Value } from '../src/api/shape';

/** An alarm of which a test names what matters to it. */
export function alarm(more: Partial<Alarm> = {}): Alarm {
  return {
    site: 's', id: 'GT-101.H', point: 'GT-101', device: 'GD-01', area: 'tank-1', condition: 'H', priority: 2, name: { zh: '可燃气', en: 'Gas' }, state: 'UNACK', active: true, acknowledged: false, latched: false, suppressed: [],
    occurrence: 1, seq: 1, raised_ms: 1_000, changed_ms: 1_000, cleared_ms: null, acknowledged_ms: null, value_then: 30, cause_then: null, limit: 25, unit: '%LEL', actor: null, reason: null, shelved_until_ms: null,
    guidance: null, late: false, remote: true, ...more,
  };
}

export const value = (point: string, figure: number): Value => ({ point, value: figure, cause: null, quality: 'good', time_ms: 0 });
