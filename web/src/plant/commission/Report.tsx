import { useState } from 'preact/hooks';
import type { Failure } from '../../api/call';
import { useLoaded } from '../../api/loaded';
import { dateTime } from '../../clock/format';
import { Button } from '../../control/Button';
import { Empty, Failed, Refusal, Skeleton } from '../../notice/Notice';
import { plant } from '../plant';
import { all, makeReport, reports } from './proof/calls';
import { proof as say } from './proof/messages';
import type { Made } from './proof/shape';
import './proof/proof.css';

/** Signed reports of what is proved: made here, fetched from here. */
export function Report() {
  const made = useLoaded('reports', reports);
  const proofs = useLoaded('prove', all);
  const [failure, setFailure] = useState<Failure | null>(null);
  const make = async (): Promise<void> => {
    const outcome = await makeReport();
    setFailure(outcome.ok ? null : outcome.failure);
    await made.again();
  };
  const key = proofs.value?.fingerprint ?? null;
  return (
    <div class="stack">
      <section class="card pad stack">
        {plant.person.value?.role === 'operator' && <p class="refusal">{say('no-role')}</p>}
        <div>
          <Button look="main" onPress={make}>
            {say('report.make')}
          </Button>
        </div>
        {failure && <Refusal failure={failure} />}
        {key !== null && (
          <p class="report-key">
            {say('key')} <b class="number">{key}</b>
            <br />
            <span class="muted small">{say('key.why')}</span>
          </p>
        )}
        <p class="muted small">{say('report.verify')}</p>
      </section>
      {made.failure && <Failed failure={made.failure} stillTrue={say('still-true')} onRetry={made.again} />}
      {!made.value && !made.failure && <Skeleton lines={4} />}
      {made.value?.reports.length === 0 && <Empty why={say('report.none')} next={say('report.none-next')} />}
      {made.value?.reports.map((one) => <One key={one.number} made={one} />)}
    </div>
  );
}

const KINDS = [
  ['.zh.pdf', 'report.pdf-zh'],
  ['.en.pdf', 'report.pdf-en'],
  ['.zh.csv', 'report.csv-zh'],
  ['.en.csv', 'report.csv-en'],
  ['.sig', 'report.list'],
] as const;

function One({ made }: { made: Made }) {
  return (
    <section class="card" data-report={made.number}>
      <header>
        <h2 class="grow">{say('report.number', { number: made.number })}</h2>
        <span class="muted">
          {dateTime(made.made_ms)} · {made.name}
        </span>
      </header>
      <div class="pad report-files">
        {KINDS.map(([end, label]) => {
          const file = made.files.find((file) => file.endsWith(end));
          return (
            file && (
              <a key={end} class="button" href={`/api/prove/reports/${made.number}/${file}`} download={file}>
                {say(label)}
              </a>
            )
          );
        })}
      </div>
    </section>
  );
}
