import { useState } from 'preact/hooks';
import { link } from '../../address/address';
import { Button, Chip } from '../../control/Button';
import { name } from '../../i18n/language';
import { workbook } from './draft';
import { commission as say } from './messages';
import { profile, profiles } from './reference';
import type { Found } from './shape';
import { addSignals, deviceAt, isTaken } from './tree';

/** One unit that answered: what is known of it, and which device it shall be. */
export function FoundCard({ found }: { found: Found }) {
  const fitting = found.profiles.map((one) => one.profile);
  // Registers at rest fit many maps: among several a person chooses.
  const [chosen, setChosen] = useState(fitting.length === 1 ? (fitting[0] ?? '') : '');
  const [all, setAll] = useState(false);
  const draft = workbook.draft.value;
  const taken = draft !== null && isTaken(draft.site, found.bus, found.unit);
  const parts = [found.identity?.vendor, found.identity?.product, found.identity?.revision].filter(Boolean);
  const offered = all ? profiles().map((one) => one.id) : fitting;
  const add = (): void =>
    workbook.change((site) => {
      const of = profile(chosen);
      const called = of?.name ?? say.both('device.unnamed', { unit: found.unit });
      const device = deviceAt(site, found.bus, found.unit, called, chosen || undefined, found.answer_ms);
      if (of) addSignals(site, device, of, (signal) => ({ zh: `${of.name.zh} ${signal}`, en: `${of.name.en} ${signal}` }));
    });
  return (
    <article class="card form found" data-unit={found.unit}>
      <h3>{say(found.any_unit ? 'found.any' : 'found.unit', { unit: found.unit, at: found.at })}</h3>
      <p class="small muted">{parts.length > 0 ? say('found.says', { identity: parts.join(' ') }) : say('found.silent')}</p>
      {found.answer_ms > 0 && <p class="small muted">{say('found.answers-in', { ms: found.answer_ms })}</p>}
      {taken ? (
        <p class="strong">{say('found.taken')}</p>
      ) : (
        <>
          <p class="small">{say(fitting.length === 0 ? 'found.no-profile' : fitting.length === 1 ? 'found.one-profile' : 'found.profiles')}</p>
          <div class="chips" role="group" aria-label={say('found.choose')}>
            {offered.map((id) => (
              <Chip key={id} on={id === chosen} onToggle={() => setChosen(id === chosen ? '' : id)}>
                {name(profile(id)?.name ?? { zh: id, en: id })}
                {fitting.includes(id) && <span class="tag">{say('found.fits', { count: found.profiles.find((one) => one.profile === id)?.fitting ?? 0 })}</span>}
              </Chip>
            ))}
            {!all && (
              <Button look="plain" onPress={() => setAll(true)}>
                {say('found.all')}
              </Button>
            )}
          </div>
          <div class="row">
            <Button look="main" disabled={!draft} onPress={add}>
              {say(chosen ? 'found.add' : 'found.add-unknown')}
            </Button>
            <a class="button" href={link(['commissioning', 'probe'], { kind: found.bus.kind, at: found.bus.address ?? found.bus.path, baud: found.bus.baud, parity: found.bus.parity, stop: found.bus.stop_bits, unit: found.unit })}>
              {say('found.probe')}
            </a>
          </div>
        </>
      )}
    </article>
  );
}
