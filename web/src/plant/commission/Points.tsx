import { parameter, set } from '../../address/address';
import { Button } from '../../control/Button';
import { name } from '../../i18n/language';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { Reading } from '../../value/Reading';
import { pointById } from '../around';
import { plant } from '../plant';
import { DeviceCard } from './DeviceCard';
import { workbook } from './draft';
import { commission as say } from './messages';
import { PointForm } from './PointForm';
import type { PointTree, SiteTree } from './shape';
import { list } from './tree';

/** Every device and point of the draft: named, placed, and told what it measures. */
export function Points() {
  const draft = workbook.draft.value;
  const failure = workbook.failure.value;
  if (!draft) return failure ? <Failed failure={failure} onRetry={() => workbook.load()} /> : <Skeleton lines={8} />;
  const { site } = draft;
  if (list(site.device).length === 0) return <Empty why={say('points.none')} next={say('points.none-next')} />;
  return (
    <div class="stack">
      {list(site.device).map((device) => (
        <DeviceCard key={device.id} device={device} site={site}>
          {list(site.point)
            .filter((point) => point.device === device.id)
            .map((point) => (
              <PointLine key={point.id} point={point} site={site} open={parameter('open') === point.id} />
            ))}
        </DeviceCard>
      ))}
    </div>
  );
}

function PointLine({ point, site, open }: { point: PointTree; site: SiteTree; open: boolean }) {
  const running = pointById(point.id);
  return (
    <li class="point-line" data-point={point.id}>
      <div class="row">
        <span class="grow">
          <span class="strong">{name(point.name)}</span>
          <span class="muted small block">
            {point.id} · {say.orCode('kind', point.kind)} {point.signal ?? registerOf(point)}
            {point.armed === false && <span class="tag">{say('point.unarmed')}</span>}
          </span>
        </span>
        {running && <Reading value={plant.picture.value(point.id).value} point={running} />}
        <Button onPress={() => set({ open: open ? null : point.id })} pressed={open}>
          {say(open ? 'point.close' : 'point.edit')}
        </Button>
      </div>
      {open && <PointForm point={point} site={site} />}
    </li>
  );
}

const registerOf = ({ register }: PointTree): string => (register ? `${say.orCode('table', register.table)} ${register.address} ${register.as ?? ''} ${register.order ?? ''}` : '');
