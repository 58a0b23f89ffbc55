import { useRef } from 'preact/hooks';
import { go } from '../../address/address';
import { Button } from '../../control/Button';
import { workbook } from './draft';
import { commission as say } from './messages';
import type { BusTree, Decoding, Row } from './shape';
import { addPoint, deviceAt } from './tree';

interface RowProps {
  row: Row;
  bus: Omit<BusTree, 'id'>;
  unit: number;
  /** Also what does not look like a physical signal. */
  all: boolean;
}

/** One address with what it could mean. */
export function ProbeRow({ row, bus, unit, all }: RowProps) {
  const take = (decoding: Decoding | null): void => {
    let made = '';
    workbook.change((site) => {
      const device = deviceAt(site, bus, unit, say.both('device.unnamed', { unit }));
      const register = { table: row.table, address: row.address, ...(decoding ? { as: decoding.as, ...(decoding.order ? { order: decoding.order } : {}) } : {}) };
      made = addPoint(site, device, { register, discrete: decoding === null }, say.both('point.unnamed', { address: row.address })).id;
    });
    go(['commissioning', 'points'], { open: made });
  };
  const readings = (row.readings ?? []).filter((one) => all || one.looks_physical);
  return (
    <article class="card probe-row" data-address={row.address}>
      <header>
        <h3 class="number grow">{row.address}</h3>
        {row.word === undefined ? <span class="text-fault">{say('probe.refused', { fault: row.fault ?? '' })}</span> : <span class="number muted">{`0x${row.word.toString(16).padStart(4, '0')} · ${row.word}`}</span>}
      </header>
      {row.word !== undefined && row.readings?.length === 0 && (
        <div class="decodings">
          <Decoded spelling={say('table.bit')} value={row.word} physical onTake={() => take(null)} />
        </div>
      )}
      {readings.length > 0 && (
        <div class="decodings">
          {readings.map((one) => (
            <Decoded key={`${one.as} ${one.order}`} spelling={[one.as, one.order].filter(Boolean).join(' ')} value={one.value} physical={one.looks_physical} onTake={() => take(one)} />
          ))}
        </div>
      )}
    </article>
  );
}

/** As many figures as a person can use. */
function spelt(value: number | null): string {
  if (value === null) return say('probe.no-number');
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return String(value);
  return size >= 1e-3 && size < 1e7 ? value.toFixed(3) : value.toExponential(3);
}

function Decoded({ spelling, value, physical, onTake }: { spelling: string; value: number | null; physical: boolean; onTake: () => void }) {
  const before = useRef(value);
  const moved = before.current !== value;
  before.current = value;
  return (
    <div class="decoding" data-physical={physical} data-moved={moved}>
      <span class="small muted">
        {physical && <span aria-label={say('probe.physical')}>★ </span>}
        {spelling}
      </span>
      <span class="number figure">{spelt(value)}</span>
      <Button onPress={onTake}>{say('probe.take')}</Button>
    </div>
  );
}
