import { dateTime } from '../clock/format';
import { shared } from '../i18n/shared';
import { Empty } from '../notice/Notice';
import { Chattering } from './Chattering';
import { Targets } from './Figures';
import { decimal } from './figures';
import { Answers, Floods, People, Sources, Standing } from './Lists';
import type { Kpi } from './shape';
import './kpi.css';

/** How a face names what the figures name by id. */
export interface Naming {
  alarm: (id: string) => string;
  who: (actor: string) => string;
}

interface KpiViewProps {
  kpi: Kpi;
  naming: Naming;
  /** Gaps of record in the period. */
  gaps?: number;
}

/** The figures of a period: against their targets, and what they are made of. */
export function KpiView({ kpi, naming, gaps = 0 }: KpiViewProps) {
  if (kpi.record_from_ms === null) {
    return (
      <div class="card">
        <Empty why={shared('kpi.no-record')} next={shared('kpi.no-record-next')} />
      </div>
    );
  }
  return (
    <>
      <div class="kpi-record">
        <p class="number">
          {shared('kpi.record', { days: decimal(kpi.days, 1), from: dateTime(kpi.record_from_ms), to: dateTime(kpi.to_ms) })} · {shared('kpi.annunciations')} <span class="strong">{kpi.annunciations}</span>
        </p>
        {!kpi.enough && <p class="strong">{shared('kpi.short')}</p>}
        {kpi.truncated && <p class="strong">{shared('kpi.truncated')}</p>}
        {gaps > 0 && <p class="strong text-fault">{shared('kpi.gaps', { count: gaps })}</p>}
      </div>
      <div class="kpi-parts">
        <section class="card wide" aria-label={shared('kpi.targets')}>
          <header>
            <h2>{shared('kpi.targets')}</h2>
          </header>
          <Targets kpi={kpi} />
        </section>
        <div class="wide">
          <Chattering kpi={kpi} naming={naming} />
        </div>
        <Sources kpi={kpi} naming={naming} />
        <Floods kpi={kpi} />
        <Standing kpi={kpi} naming={naming} />
        <Answers kpi={kpi} />
        <People kpi={kpi} naming={naming} />
      </div>
    </>
  );
}
