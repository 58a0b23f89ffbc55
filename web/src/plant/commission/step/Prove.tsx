import { link } from '../../../address/address';
import { Empty } from '../../../notice/Notice';
import { plant } from '../../plant';
import { commission as say } from '../messages';
import { TABS_SHOWN } from '../shown';

/** Leads to the guided tests, and to their report. */
export function Prove({ report }: { report?: boolean }) {
  const tab = report ? 'report' : 'proof';
  if (plant.site.value?.blank) return <Empty why={say('prove.blank')} next={say('prove.blank-next')} />;
  if (!TABS_SHOWN.includes(tab)) return <Empty why={say('not-here')} next={say('not-here-next')} />;
  return (
    <section class="card form">
      <p>{say(report ? 'prove.report-what' : 'prove.what')}</p>
      <div>
        <a class="button main" href={link(['commissioning', tab])}>
          {say(`tab.${tab}`)}
        </a>
      </div>
    </section>
  );
}
