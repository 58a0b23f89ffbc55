import { useState } from 'preact/hooks';
import type { Failure } from '../api/call';
import type { Alarm } from '../api/shape';
import { Button } from '../control/Button';
import { Dialog } from '../control/Dialog';
import { shared } from '../i18n/shared';
import { sayFailure } from '../notice/Notice';
import { needsNote, type AlarmActs } from './acts';
import { unacknowledged } from './state';

interface BulkAcknowledgeProps {
  /** The rows that are listed, all of one unit. */
  alarms: readonly Alarm[];
  /** The unit's name. */
  unit: string;
  acts: AlarmActs;
}

/** What may be acknowledged together: what is unacknowledged and asks for no note. A P1 is answered one at a time. */
export const together = (alarms: readonly Alarm[]): Alarm[] => alarms.filter((alarm) => unacknowledged(alarm) && !needsNote(alarm));

/** In a flood: acknowledges the listed rows of one unit, after it said which. */
export function BulkAcknowledge({ alarms, unit, acts }: BulkAcknowledgeProps) {
  const [seen, setSeen] = useState<readonly Alarm[] | null>(null);
  const open = async (): Promise<void> => {
    // What was listed when the person decided is what is acknowledged; what comes later has not been seen.
    const listed = together(alarms);
    if (!acts.begin || (await acts.begin())) setSeen(listed);
  };
  const count = together(alarms).length;
  return (
    <>
      {count > 1 && <Button onPress={open}>{shared('bulk.open', { count })}</Button>}
      {seen && <Ask seen={seen} unit={unit} acts={acts} onClose={() => setSeen(null)} />}
    </>
  );
}

function Ask({ seen, unit, acts, onClose }: { seen: readonly Alarm[]; unit: string; acts: AlarmActs; onClose: () => void }) {
  const [refused, setRefused] = useState<readonly { alarm: Alarm; failure: Failure }[]>([]);
  const [sent, setSent] = useState(0);
  const send = async (): Promise<void> => {
    const failures: { alarm: Alarm; failure: Failure }[] = [];
    for (const alarm of seen) {
      const outcome = await acts.acknowledge?.(alarm, null);
      if (outcome && !outcome.ok) failures.push({ alarm, failure: outcome.failure });
      setSent((count) => count + 1);
    }
    if (failures.length === 0) return onClose();
    setRefused(failures);
  };
  const through = refused.length > 0;
  return (
    <Dialog title={shared('bulk.title')} onClose={onClose} {...(through ? {} : { onSend: send, send: shared('bulk.send', { count: seen.length }), ready: sent === 0 })}>
      <p>{through ? shared('bulk.refused', { count: refused.length, done: seen.length - refused.length }) : shared('bulk.what', { count: seen.length, unit })}</p>
      <ul class="bulk">
        {through
          ? refused.map(({ alarm, failure }) => (
              <li key={alarm.id}>
                <span class="strong">{alarm.id}</span> {sayFailure(failure)}
              </li>
            ))
          : seen.map((alarm) => <li key={alarm.id}>{alarm.id}</li>)}
      </ul>
    </Dialog>
  );
}
