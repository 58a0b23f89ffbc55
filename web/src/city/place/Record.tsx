import { useMemo, useState } from 'preact/hooks';
import { address, parameter, set } from '../../address/address';
import { useLoaded } from '../../api/loaded';
import { nowExactly } from '../../clock/now';
import { Button } from '../../control/Button';
import { Icon } from '../../frame/Icon';
import { shared } from '../../i18n/shared';
import { useKeys } from '../../keys/keys';
import { Empty, Failed, Skeleton } from '../../notice/Notice';
import { city } from '../city';
import { city as say } from '../messages';
import { historyPath, isSpan, rangeOf, readQuestion, whole, type Question, type Range } from '../question';
import { Answer } from '../record/Answer';
import { AskChoice, AskForm, Files } from '../record/AskBar';
import { readAsk, readBy, TAKES, type Narrowed } from '../record/asks';
import { Form } from '../record/Form';
import { OccurrenceSide } from '../record/OccurrenceSide';
import { Picture } from '../record/Picture';
import { occurrenceKey } from '../record/occurrences';
import { TableAnswer } from '../record/TableAnswer';
import type { AlarmHistory } from '../shape';
import '../record/record.css';

const PAGE = 100;

/** The regulator's questions, each with an answer, a picture and an export. */
export function RecordPlace() {
  const { parameters } = address.value;
  // The address changes with every row that is opened; the question does not.
  const asked = questionKey(parameters);
  const question = useMemo(() => readQuestion(new URLSearchParams(asked)), [asked]);
  // The question about the last days is of the moment that it was asked.
  const range = useMemo(() => rangeOf(question, nowExactly()), [question]);
  const ask = readAsk(parameters.get('ask'));
  const narrowed: Narrowed = { ask, question, range, minutes: whole(parameters.get('minutes'), 0, 527_040), by: readBy(parameters.get('by')) };
  return (
    <div class="place record">
      <div class="title">
        <h1 class="grow">{say('place.record')}</h1>
        <Files asked={narrowed} />
        <Button look="plain" icon label={shared('act.print')} onPress={() => print()}>
          <Icon name="print" />
        </Button>
      </div>
      <AskChoice ask={ask} />
      {ask !== 'alarms' && <Tabled asked={narrowed} name={asked} />}
      {ask === 'alarms' && <Form question={question} range={range} />}
      {ask !== 'alarms' ? null : isSpan(range) ? <Asked key={asked} question={question} range={range} /> : <Empty why={say('record.no-span')} next={say('record.no-span-next')} />}
    </div>
  );
}

/** A question whose answer is a table. */
function Tabled({ asked, name }: { asked: Narrowed; name: string }) {
  const lacksSite = TAKES[asked.ask].site && asked.question.site === null;
  return (
    <>
      <AskForm asked={asked} />
      {lacksSite ? (
        <Empty why={say('ask.choose-site')} next={say('ask.choose-site-next')} />
      ) : isSpan(asked.range) ? (
        <TableAnswer key={`${name} ${asked.minutes} ${asked.by}`} asked={asked} />
      ) : (
        <Empty why={say('record.no-span')} next={say('record.no-span-next')} />
      )}
    </>
  );
}

const ASKED = ['ask', 'site', 'town', 'condition', 'priority', 'days', 'from', 'to', 'over'];

function questionKey(parameters: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const name of ASKED) {
    const value = parameters.get(name);
    if (value) kept.set(name, value);
  }
  return kept.toString();
}

function Asked({ question, range }: { question: Question; range: Range }) {
  const [older, setOlder] = useState<AlarmHistory[]>([]);
  const first = useLoaded<AlarmHistory>('first', (abort) => city.get<AlarmHistory>(historyPath(question, range, { limit: PAGE }), abort));
  const pages = first.value ? [first.value, ...older] : [];
  const occurrences = pages.flatMap((page) => page.occurrences);
  const cursor = pages.at(-1)?.next_cursor ?? null;
  const open = parameter('open');
  const opened = occurrences.find((one) => occurrenceKey(one) === open);
  useKeys({ Escape: () => set({ open: null }) });
  if (!first.value) {
    return <div class="card">{first.failure ? <Failed failure={first.failure} stillTrue={say('record.still-true')} onRetry={first.again} /> : <Skeleton lines={10} />}</div>;
  }
  const more = async (): Promise<void> => {
    const page = await city.get<AlarmHistory>(historyPath(question, range, { cursor, limit: PAGE }));
    if (page.ok) setOlder([...older, page.value]);
  };
  return (
    <>
      <Picture question={question} range={range} first={first.value} />
      <div class="record-split" data-open={opened ? '' : undefined}>
        <Answer occurrences={occurrences} gaps={first.value.gaps} gapsCut={first.value.gaps_cut} total={first.value.total} open={open} whole={cursor === null} onMore={more} />
        {opened && <OccurrenceSide key={open} occurrence={opened} />}
      </div>
    </>
  );
}
