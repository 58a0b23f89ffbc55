import { useRef, useState } from 'preact/hooks';
import { set } from '../../address/address';
import { toggled } from '../../alarm/filter';
import { Shape } from '../../alarm/Symbol';
import { CONDITIONS, PRIORITIES } from '../../api/shape';
import { Moment } from '../../clock/Moment';
import { now } from '../../clock/now';
import { Chip } from '../../control/Button';
import { Field, Input, Select } from '../../control/Field';
import { shared } from '../../i18n/shared';
import { city } from '../city';
import { city as say } from '../messages';
import { DAYS_CHOICES, type Question, type Range } from '../question';
import { SiteChoice } from '../SiteChoice';

/** Questions that are asked again and again. Each is an address of its own. */
const USUAL = [
  { key: 'urgent', parameters: { priority: '1', days: 30 } },
  { key: 'slow', parameters: { over: 60, days: 30 } },
  { key: 'gas', parameters: { condition: 'HH', days: 30 } },
  { key: 'blind', parameters: { condition: 'BAD,STALE,COMMS', days: 7 } },
] as const;

const NOTHING = { site: null, town: null, condition: null, priority: null, days: null, from: null, to: null, over: null, open: null };

/** The question; it is asked as it changes. */
export function Form({ question, range }: { question: Question; range: Range }) {
  const towns = [...new Set([...(city.sites.value?.values() ?? [])].map((site) => site.town).filter(Boolean))].sort((a, b) => a.localeCompare(b, 'zh'));
  // On a phone the answer comes first and the question is one press away; elsewhere it always stands there.
  const [open, setOpen] = useState(false);
  const section = useRef<HTMLElement>(null);
  const fold = (): void => {
    setOpen(!open);
    section.current?.scrollIntoView({ block: 'start' });
  };
  return (
    <section ref={section} class="card question no-print" data-folded={!open || undefined} aria-label={say('record.question')}>
      <button type="button" class="button fold" aria-expanded={open} onClick={fold}>
        {open ? say('record.fold') : say('record.unfold', { count: asks(question) })}
      </button>
      <div class="chips" role="group" aria-label={say('record.usual')}>
        <span class="small muted label">{say('record.usual')}</span>
        {USUAL.map(({ key, parameters }) => (
          <Chip key={key} on={isAsked(question, parameters)} onToggle={() => set({ ...NOTHING, ...parameters }, 'push')}>
            {say(`usual.${key}`)}
          </Chip>
        ))}
        <button type="button" class="chip" onClick={() => set(NOTHING, 'push')}>
          {say('record.clear')}
        </button>
      </div>
      <div class="fields">
        <Field label={say('situation.column.site')}>
          <SiteChoice value={question.site} none={say('alarms.all-sites')} onChoose={(site) => set({ site, open: null })} />
        </Field>
        <Field label={say('situation.town')}>
          <Select value={question.town ?? ''} choices={[{ value: '', label: say('situation.all-towns') }, ...towns.map((town) => ({ value: town, label: town }))]} onChoose={(town) => set({ town, open: null })} />
        </Field>
        <Moment label={say('record.from')} value_ms={range.from_ms} onChange={(from) => set({ from, to: question.to_ms, days: null, open: null })} />
        <Moment label={say('record.to')} value_ms={question.to_ms ?? now.value} onChange={(to) => set({ from: Math.round(range.from_ms), to, days: null, open: null })} />
        <Field label={say('record.over')}>
          <Input type="number" min={0} max={86_400} inputMode="numeric" placeholder={say('record.over-any')} value={question.over_s === null ? '' : String(question.over_s)} onText={(over) => set({ over, open: null })} />
        </Field>
      </div>
      <div class="chips" role="group" aria-label={say('record.span')}>
        <span class="small muted label">{say('record.span')}</span>
        {DAYS_CHOICES.map((days) => (
          <Chip key={days} on={question.from_ms === null && question.days === days} onToggle={() => set({ days: days === 7 ? null : days, from: null, to: null, open: null })}>
            {shared('span.days', { count: days })}
          </Chip>
        ))}
        <span class="divider" aria-hidden="true" />
        <span class="small muted label near">{shared('column.priority')}</span>
        {PRIORITIES.map((priority) => (
          <Chip key={priority} on={question.priorities.includes(priority)} onToggle={() => set({ priority: toggled(question.priorities, priority), open: null })}>
            <Shape kind={priority} /> {shared(`priority.${priority}`)}
          </Chip>
        ))}
      </div>
      <div class="chips" role="group" aria-label={shared('column.condition')}>
        <span class="small muted label">{shared('column.condition')}</span>
        {CONDITIONS.map((condition) => (
          <Chip key={condition} on={question.conditions.includes(condition)} onToggle={() => set({ condition: toggled(question.conditions, condition), open: null })}>
            {shared(`condition.${condition}`)}
          </Chip>
        ))}
      </div>
    </section>
  );
}

function isAsked(question: Question, usual: Record<string, string | number>): boolean {
  const same = (value: string | number | undefined, mine: readonly (string | number)[]): boolean => String(value ?? '') === mine.join(',');
  return (
    question.site === null &&
    question.town === null &&
    question.from_ms === null &&
    question.days === usual['days'] &&
    same(usual['priority'], question.priorities) &&
    same(usual['condition'], question.conditions) &&
    (question.over_s ?? undefined) === usual['over']
  );
}

/** How many parts of the question are other than everything of the last week. */
function asks(question: Question): number {
  const span = question.from_ms !== null || question.to_ms !== null || question.days !== 7;
  return [question.site !== null, question.town !== null, span, question.priorities.length > 0, question.conditions.length > 0, question.over_s !== null].filter(Boolean).length;
}
