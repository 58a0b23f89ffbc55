import { useState } from 'preact/hooks';
import { ReasonDialog } from '../../alarm/ReasonDialog';
import { firstOut, kind } from '../../alarm/state';
import { Shape } from '../../alarm/Symbol';
import type { ComponentChildren } from 'preact';
import type { Alarm, Effect, Text } from '../../api/shape';
import { timeOfDay } from '../../clock/format';
import { Button } from '../../control/Button';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { pointKey } from '../../live/picture';
import { plant as say } from '../messages';
import { acts, byHand } from '../around';
import { plant } from '../plant';
import type { PlantSite } from '../shape';

/** Cause and effect as the site file has it, lit where it acts now; the first cause of each row that tripped is marked. */
export function Effects({ site, alarms }: { site: PlantSite; alarms: ReadonlyMap<string, Alarm> }) {
  if (site.effects.length === 0) return null;
  return (
    <section class="card effects" aria-label={say('effects.title')}>
      <header>
        <h2>{say('effects.title')}</h2>
        <span class="muted small">{say('effects.any')}</span>
      </header>
      <ul>
        {site.effects.map((effect) => (
          <Row key={effect.causes.join()} site={site} effect={effect} alarms={alarms} />
        ))}
      </ul>
    </section>
  );
}

function Row({ site, effect, alarms }: { site: PlantSite; effect: Effect; alarms: ReadonlyMap<string, Alarm> }) {
  const known = effect.causes.map((id) => ({ id, alarm: alarms.get(pointKey(site.id, id)) ?? null }));
  const lit = known.flatMap(({ alarm }) => (alarm && (alarm.active || alarm.latched) ? [alarm] : []));
  const first = firstOut(lit);
  return (
    <li data-lit={lit.length > 0 || undefined}>
      <span class="causes">
        {known.map(({ id, alarm }) => (
          <Cause key={id} site={site} id={id} alarm={alarm && lit.includes(alarm) ? alarm : null} first={alarm !== null && alarm === first && lit.length > 0}>
            <ByHand site={site} id={id} active={alarm?.active ?? false} outputs={effect.outputs} />
          </Cause>
        ))}
      </span>
      <span class="arrow" aria-label={say('effects.demands')}>
        →
      </span>
      <span class="causes">
        {effect.outputs.map((id) => (
          <Effected key={id} site={site} id={id} />
        ))}
      </span>
    </li>
  );
}

interface CauseProps {
  site: PlantSite;
  id: string;
  alarm: Alarm | null;
  first: boolean;
  children: ComponentChildren;
}

function Cause({ site, id, alarm, first, children }: CauseProps) {
  const cut = id.lastIndexOf('.');
  const subject = id.slice(0, cut);
  const known = [site.points, site.votes, site.manuals, site.outputs, site.devices].flatMap((kind: readonly { id: string; name: Text }[]) => kind.filter((one) => one.id === subject))[0];
  return (
    <span class="node live" data-on={alarm !== null || undefined}>
      {alarm && <Shape kind={kind(alarm)} />}
      <span class="strong">{id.slice(0, cut)}</span> {shared.orCode('condition', id.slice(cut + 1))}
      <span class="muted small">{known && name(known.name)}</span>
      {children}
      {first && alarm?.raised_ms != null && (
        <span class="tag first">
          {say('effects.first-out')} {timeOfDay(alarm.raised_ms)}
        </span>
      )}
    </span>
  );
}

/** The button of a manual cause: a person demands it and withdraws it, with a reason. */
function ByHand({ site, id, active, outputs }: { site: PlantSite; id: string; active: boolean; outputs: string[] }) {
  const [asking, setAsking] = useState(false);
  const manual = site.manuals.find((one) => one.alarm === id);
  if (!manual) return null;
  const begin = async (): Promise<void> => {
    if (!acts.begin || (await acts.begin())) setAsking(true);
  };
  const act = active ? 'withdraw' : 'demand';
  const what = { cause: `${manual.id} ${name(manual.name)}`, outputs: outputs.join(', ') };
  return (
    <>
      <Button onPress={begin}>{say(`manual.${act}`)}</Button>
      {asking && <ReasonDialog title={say(`manual.${act}`)} what={say(`manual.${act}-what`, what)} onSend={(reason) => byHand(id, act, reason)} onClose={() => setAsking(false)} />}
    </>
  );
}

function Effected({ site, id }: { site: PlantSite; id: string }) {
  const output = site.outputs.find((one) => one.id === id);
  const now = plant.outputs.value.get(id);
  const differs = now !== undefined && now.feedback !== now.demand;
  return (
    <span class="node live" data-on={now?.demand || undefined}>
      {differs && <Shape kind="fault" />}
      <span class="strong">{id}</span>
      <span class="muted small">
        {output && name(output.name)}
        {output?.fail_safe && ` · ${say(`fail-safe.${output.fail_safe}`)}`}
      </span>
    </span>
  );
}
