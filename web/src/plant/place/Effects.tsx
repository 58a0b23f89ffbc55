import { useState } from 'preact/hooks';
import { ReasonDialog } from '../../alarm/ReasonDialog';
import { firstOut, kind } from '../../alarm/state';
import { Shape } from '../../alarm/Symbol';
import type { ComponentChildren } from 'preact';
import type { Alarm, Effect } from '../../api/shape';
import { timeOfDay } from '../../clock/format';
import { Button } from '../../control/Button';
import { name } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { pointKey } from '../../live/picture';
import { plant as say } from '../messages';
import { acts, demand, withdraw } from '../around';
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
            {alarm?.condition === 'MANUAL' && <ByHand alarm={alarm} outputs={effect.outputs} />}
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
  const known = plant.picture.alarms.value.get(pointKey(site.id, id));
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

/** What a person demands and ends, with a reason. */
function ByHand({ alarm, outputs }: { alarm: Alarm; outputs: string[] }) {
  const [asking, setAsking] = useState(false);
  const begin = async (): Promise<void> => {
    if (!acts.begin || (await acts.begin())) setAsking(true);
  };
  const cause = `${alarm.id} ${name(alarm.name)}`;
  return (
    <>
      <Button onPress={begin}>{say(alarm.active ? 'manual.withdraw' : 'manual.demand')}</Button>
      {asking && (
        <ReasonDialog
          title={say(alarm.active ? 'manual.withdraw' : 'manual.demand')}
          what={alarm.active ? say('manual.withdraw-what', { cause }) : say('manual.demand-what', { cause, outputs: outputs.join(', ') })}
          onSend={(reason) => (alarm.active ? withdraw : demand)(alarm, reason)}
          onClose={() => setAsking(false)}
        />
      )}
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
