import { set } from '../../address/address';
import { PRIORITIES } from '../../api/shape';
import { toggled } from '../../alarm/filter';
import { Shape } from '../../alarm/Symbol';
import { Moment } from '../../clock/Moment';
import { now } from '../../clock/now';
import { Chip } from '../../control/Button';
import { Field, Input, Select } from '../../control/Field';
import { language } from '../../i18n/language';
import { shared } from '../../i18n/shared';
import { city } from '../city';
import { city as say } from '../messages';
import { DAYS_CHOICES, isSpan } from '../question';
import { SiteChoice } from '../SiteChoice';
import { ASKS, BYS, caseLink, fileLink, FORMATS, readAsk, readBy, TAKES, type Narrowed } from './asks';

/** Which question. */
export function AskChoice({ ask }: Pick<Narrowed, 'ask'>) {
  return (
    <div class="ask">
      <Select label={say('ask.label')} value={ask} choices={ASKS.map((one) => ({ value: one, label: say(`ask.${one}`) }))} onChoose={(one) => set({ ask: readAsk(one) === 'alarms' ? null : one, open: null }, 'push')} />
    </div>
  );
}

/** What narrows a question whose answer is a table. */
export function AskForm({ asked }: { asked: Narrowed }) {
  const { ask, question, range, minutes, by } = asked;
  const takes = TAKES[ask];
  const towns = [...new Set([...(city.sites.value?.values() ?? [])].map((site) => site.town).filter(Boolean))].sort((a, b) => a.localeCompare(b, 'zh'));
  return (
    <section class="card question no-print" aria-label={say('record.question')}>
      <p class="small muted">{say.orCode('ask.about', ask)}</p>
      <div class="fields">
        <Field label={say('situation.column.site')}>
          <SiteChoice value={question.site} none={takes.site ? say('ask.choose-site') : say('alarms.all-sites')} onChoose={(site) => set({ site })} />
        </Field>
        {!takes.site && (
          <Field label={say('situation.town')}>
            <Select value={question.town ?? ''} choices={[{ value: '', label: say('situation.all-towns') }, ...towns.map((town) => ({ value: town, label: town }))]} onChoose={(town) => set({ town })} />
          </Field>
        )}
        {takes.by && (
          <Field label={say('ask.by')}>
            <Select value={by} choices={BYS.map((one) => ({ value: one, label: say(`ask.by.${one}`) }))} onChoose={(one) => set({ by: readBy(one) })} />
          </Field>
        )}
        {takes.minutes !== undefined && (
          <Field label={say('ask.minutes')}>
            <Input type="number" min={0} max={527_040} inputMode="numeric" placeholder={String(takes.minutes)} value={minutes === null ? '' : String(minutes)} onText={(text) => set({ minutes: text })} />
          </Field>
        )}
        {takes.span && <Moment label={say('record.from')} value_ms={range.from_ms} onChange={(from) => set({ from, to: question.to_ms, days: null })} />}
        {takes.span && <Moment label={say('record.to')} value_ms={question.to_ms ?? now.value} onChange={(to) => set({ from: Math.round(range.from_ms), to, days: null })} />}
      </div>
      {takes.span && (
        <div class="chips" role="group" aria-label={say('record.span')}>
          <span class="small muted label">{say('record.span')}</span>
          {DAYS_CHOICES.map((days) => (
            <Chip key={days} on={question.from_ms === null && question.days === days} onToggle={() => set({ days: days === 7 ? null : days, from: null, to: null })}>
              {shared('span.days', { count: days })}
            </Chip>
          ))}
          {takes.by &&
            PRIORITIES.map((priority) => (
              <Chip key={priority} on={question.priorities.includes(priority)} onToggle={() => set({ priority: toggled(question.priorities, priority) })}>
                <Shape kind={priority} /> {shared(`priority.${priority}`)}
              </Chip>
            ))}
        </div>
      )}
    </section>
  );
}

/** The same answer as files, and the case of a site. */
export function Files({ asked }: { asked: Narrowed }) {
  const { question, range, ask } = asked;
  if (!isSpan(range) || (TAKES[ask].site && question.site === null)) return null;
  return (
    <>
      {FORMATS.map((format) => (
        <a key={format} class="button" href={fileLink(asked, format, language.value)} download>
          {say(`ask.file.${format}`)}
        </a>
      ))}
      {question.site !== null && (
        <a class="button" href={caseLink(question.site, range, language.value)} download>
          {say('ask.case')}
        </a>
      )}
    </>
  );
}
