import { name } from '../../i18n/language';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { Reading } from '../../value/Reading';
import { plant } from '../plant';
import { commission as say } from './messages';

/** Every point of the running site, with what it reads now. */
export function Points() {
  const site = plant.site.value;
  const failure = plant.siteFailure.value;
  if (!site) return failure ? <Failed failure={failure} onRetry={() => plant.loadSite()} /> : <Skeleton lines={8} />;
  if (site.points.length === 0) return <Empty why={say('points.none')} next={say('points.none-next')} />;
  return (
    <ul class="card">
      {site.points.map((point) => (
        <li key={point.id} class="row">
          <span class="grow">{name(point.name)}</span>
          <Reading value={plant.picture.value(point.id).value} point={point} />
        </li>
      ))}
    </ul>
  );
}
