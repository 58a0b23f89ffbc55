import { Button } from '../../../control/Button';
import { Field, Input, Select } from '../../../control/Field';
import { day } from '../../../clock/format';
import { nowExactly } from '../../../clock/now';
import { name } from '../../../i18n/language';
import { shared } from '../../../i18n/shared';
import { Empty } from '../../../notice/Notice';
import { workbook } from '../draft';
import { commission as say } from '../messages';
import { NumberField } from '../NumberField';
import { preset as presetOf, substance } from '../reference';
import { LEVELS, type LevelName, type LimitTree, type PointTree, type Preset } from '../shape';
import { figure, levelsOf, list } from '../tree';

const PRIORITIES = ['', '1', '2', '3', '4'];

/** The limits of every point: from its preset with their source, changed where the site wants it, and signed for. */
export function Limits() {
  const site = workbook.draft.value?.site;
  if (!site) return null;
  const points = list(site.point);
  if (points.length === 0) return <Empty why={say('points.none')} next={say('points.none-next')} />;
  return (
    <div class="stack">
      {points.map((point) => (
        <PointLimits key={point.id} point={point} preset={presetOf(point.preset)} />
      ))}
      <SignOff />
    </div>
  );
}

function PointLimits({ point, preset }: { point: PointTree; preset: Preset | null }) {
  const edit = (level: LevelName, change: (limit: LimitTree) => LimitTree | null): void =>
    workbook.change((tree) => {
      const own = list(tree.point).find((one) => one.id === point.id);
      if (!own) return;
      const limits = { ...own.alarms };
      limits[level] = change(limits[level] ?? {});
      if (limits[level] === null || Object.keys(limits[level]).length === 0) delete limits[level];
      own.alarms = Object.keys(limits).length > 0 ? limits : null;
    });
  const shown = levelsOf(point, preset);
  const could = LEVELS.filter((level) => (level === 'ON') === (point.kind === 'discrete') && !shown.includes(level));
  return (
    <section class="card form limits" aria-label={name(point.name)} data-point={point.id}>
      <h3>
        {name(point.name)}
        <span class="muted small block">
          {point.id} · {preset ? say.orCode('preset', preset.id) : say('preset.none')}
        </span>
      </h3>
      {shown.map((level) => (
        <Limit key={level} level={level} point={point} preset={preset} edit={(change) => edit(level, change)} />
      ))}
      {shown.length === 0 && <p class="text-fault strong">{say('limits.none')}</p>}
      <div class="chips">
        {could.map((level) => (
          <Button key={level} onPress={() => edit(level, () => (level === 'ON' ? { when: true } : { set_point: null }))}>
            + {shared(`condition.${level}`)}
          </Button>
        ))}
      </div>
    </section>
  );
}

interface LimitProps {
  level: LevelName;
  point: PointTree;
  preset: Preset | null;
  edit: (change: (limit: LimitTree) => LimitTree | null) => void;
}

function Limit({ level, point, preset, edit }: LimitProps) {
  const given = preset?.[level] ?? null;
  const usual = figure(preset, level, substance(point.substance));
  const own = point.alarms?.[level] ?? null;
  const source = given && say('limits.source', { source: given.source, confidence: say.orCode('confidence', given.confidence) });
  return (
    <div class="limit" data-level={level}>
      <div class="pair">
        {level === 'ON' ? (
          <p class="strong">{shared('condition.ON')}</p>
        ) : (
          <NumberField
            label={`${shared(`condition.${level}`)} ${point.unit ?? ''}`}
            value={own?.set_point}
            {...(usual === null ? {} : { placeholder: String(usual) })}
            onNumber={(set_point) => edit(({ set_point: _, ...rest }) => (set_point === null && given ? rest : { ...rest, set_point }))}
          />
        )}
        <Field label={say('limits.priority')}>
          <Select
            value={own?.priority ? String(own.priority) : ''}
            choices={PRIORITIES.map((value) => ({ value, label: value === '' ? say('limits.usual-priority') : shared.orCode('priority', value) }))}
            onChoose={(value) => edit(({ priority: _, ...rest }) => (value === '' ? rest : { ...rest, priority: Number(value) }))}
          />
        </Field>
        {!given && (
          <Button look="plain" onPress={() => edit(() => null)}>
            {say('limits.remove')}
          </Button>
        )}
      </div>
      {source && <p class="muted small">{source}</p>}
      {given && usual === null && level !== 'ON' && (own?.set_point ?? null) === null && <p class="text-fault small strong">{say(given.oel_level && !point.substance ? 'limits.choose-substance' : 'limits.site-figure')}</p>}
    </div>
  );
}

function SignOff() {
  const signed = workbook.draft.value?.site.site.sign_off ?? null;
  const sign = (by: string, note: string): void =>
    workbook.change((tree) => (tree.site.sign_off = by === '' ? null : { by, date: { $date: day(nowExactly()) }, ...(note === '' ? {} : { note }) }));
  return (
    <section class="card form" aria-label={say('sign.title')}>
      <h3>{say('sign.title')}</h3>
      <p class="muted">{say('sign.what')}</p>
      <div class="pair">
        <Field label={say('sign.by')}>
          <Input name="sign-by" value={signed?.by ?? ''} onText={(by) => sign(by, signed?.note ?? '')} autocomplete="off" maxLength={60} />
        </Field>
        <Field label={say('sign.note')}>
          <Input value={signed?.note ?? ''} onText={(note) => sign(signed?.by ?? '', note)} autocomplete="off" maxLength={200} disabled={!signed} />
        </Field>
      </div>
      {signed && <p class="small">{say('sign.signed', { by: signed.by, date: signed.date.$date })}</p>}
    </section>
  );
}
