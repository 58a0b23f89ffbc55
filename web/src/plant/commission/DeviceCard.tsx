import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Button, Chip } from '../../control/Button';
import { Dialog } from '../../control/Dialog';
import { name } from '../../i18n/language';
import { workbook } from './draft';
import { commission as say } from './messages';
import { NameFields } from './NameFields';
import { profile } from './reference';
import type { DeviceTree, SiteTree } from './shape';
import { addPoint, freeSignals, list, removeDevice } from './tree';

/** Of a controller with hundreds of channels, the first free ones; the installer takes wired ones one after another. */
const OFFERED = 24;

/** One device with its points, and what else of it could be one. */
export function DeviceCard({ device, site, children }: { device: DeviceTree; site: SiteTree; children: ComponentChildren }) {
  const [more, setMore] = useState(false);
  const [naming, setNaming] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const bus = list(site.bus).find((one) => one.id === device.bus);
  const of = profile(device.profile);
  const free = of ? freeSignals(site, device, of) : [];
  const edit = (change: (own: DeviceTree) => void): void => workbook.change((tree) => list(tree.device).filter((one) => one.id === device.id).forEach(change));
  const take = (signal: { id: string; discrete: boolean }): void =>
    workbook.change((tree) => void addPoint(tree, device, { signal: signal.id, discrete: signal.discrete }, { zh: `${device.name.zh} ${signal.id}`, en: `${device.name.en} ${signal.id}` }));
  return (
    <section class="card device-card" aria-label={name(device.name)} data-device={device.id}>
      <header>
        <h2 class="grow">
          {name(device.name)}
          <span class="muted small block">
            {device.id} · {bus?.address ?? bus?.path} · {say('device.unit', { unit: device.unit })} · {of ? name(of.name) : say('device.no-profile')}
          </span>
        </h2>
        <Button look="plain" onPress={() => setNaming(!naming)} pressed={naming}>
          {say('device.rename')}
        </Button>
        <Button look="plain" onPress={() => setLeaving(true)}>
          {say('device.remove')}
        </Button>
      </header>
      {naming && (
        <div class="form">
          <NameFields name={device.name} onName={(called) => edit((own) => (own.name = called))} />
        </div>
      )}
      <ul>{children}</ul>
      {free.length > 0 && (
        <div class="form">
          {more ? (
            <div class="chips" role="group" aria-label={say('device.signals')}>
              {free.slice(0, OFFERED).map((signal) => (
                <Chip key={signal.id} on={false} onToggle={() => take(signal)}>
                  + {signal.id}
                </Chip>
              ))}
              {free.length > OFFERED && <span class="muted small">{say('device.more-signals', { count: free.length - OFFERED })}</span>}
            </div>
          ) : (
            <div>
              <Button onPress={() => setMore(true)}>{say('device.add-point')}</Button>
            </div>
          )}
        </div>
      )}
      {leaving && (
        <Dialog title={say('device.remove')} danger send={say('device.remove')} onClose={() => setLeaving(false)} onSend={() => (setLeaving(false), workbook.change((tree) => removeDevice(tree, device.id)))}>
          <p>{say('device.remove-what', { name: name(device.name), count: list(site.point).filter((point) => point.device === device.id).length })}</p>
        </Dialog>
      )}
    </section>
  );
}
