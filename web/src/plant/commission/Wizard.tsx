import { useEffect, useRef } from 'preact/hooks';
import { link, parameter, set } from '../../address/address';
import { Button } from '../../control/Button';
import { Failed, Skeleton } from '../../notice/Notice';
import { plant } from '../plant';
import { workbook } from './draft';
import { Editing } from './Editing';
import { commission as say } from './messages';
import { Points } from './Points';
import { Scan } from './Scan';
import { Arm } from './step/Arm';
import { Check } from './step/Check';
import { Limits } from './step/Limits';
import { Outputs } from './step/Outputs';
import { Prove } from './step/Prove';
import { SiteStep } from './step/SiteStep';
import type { SiteTree } from './shape';
import { list } from './tree';

const STEPS = ['site', 'scan', 'points', 'limits', 'outputs', 'check', 'prove', 'arm', 'report'] as const;
type Step = (typeof STEPS)[number];

const VIEWS: Record<Step, () => preact.ComponentChild> = {
  site: () => <SiteStep />,
  scan: () => <Scan />,
  points: () => <Points />,
  limits: () => <Limits />,
  outputs: () => <Outputs />,
  check: () => <Check />,
  prove: () => <Prove />,
  arm: () => <Arm />,
  report: () => <Prove report />,
};

/** The steps that change the draft itself; the others act, and each of their acts asks who stands behind it. */
const EDITING: readonly Step[] = ['site', 'scan', 'points', 'limits', 'outputs'];

/** From a blank gateway to an armed site, one step after another; each may be visited again. */
export function Wizard() {
  const draft = workbook.draft.value;
  const failure = workbook.failure.value;
  const steps = useRef<HTMLOListElement>(null);
  useEffect(() => steps.current?.querySelector('[aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' }), [parameter('step'), draft === null]);
  if (!draft) return failure ? <Failed failure={failure} onRetry={() => workbook.load()} /> : <Skeleton lines={10} />;
  const asked = parameter('step');
  const step = STEPS.find((one) => one === asked) ?? 'site';
  const number = STEPS.indexOf(step);
  const before = STEPS[number - 1];
  const after = STEPS[number + 1];
  return (
    <div class="wizard">
      <ol class="steps" ref={steps} aria-label={say('wizard.steps')}>
        {STEPS.map((one, at) => (
          <li key={one}>
            <a href={link('commissioning', { step: one })} aria-current={one === step ? 'step' : undefined} data-done={isDone(one, draft.site)}>
              <span class="step-number" aria-hidden="true">
                {isDone(one, draft.site) ? '✓' : at + 1}
              </span>
              {say(`step.${one}`)}
            </a>
          </li>
        ))}
      </ol>
      <section class="step" aria-label={say(`step.${step}`)} data-step={step}>
        <header>
          <h2>{say('wizard.step', { number: number + 1, count: STEPS.length, name: say(`step.${step}`) })}</h2>
          <p class="muted">{say(`step.${step}-what`)}</p>
        </header>
        {EDITING.includes(step) ? <Editing>{VIEWS[step]()}</Editing> : VIEWS[step]()}
        <footer class="row">
          {before && <Button onPress={() => set({ step: before, open: null }, 'push')}>{say('wizard.back')}</Button>}
          <span class="grow" />
          {after && (
            <Button look="main" onPress={() => set({ step: after, open: null }, 'push')}>
              {say('wizard.next', { name: say(`step.${after}`) })}
            </Button>
          )}
        </footer>
      </section>
    </div>
  );
}

/** Whether a step has what the next one needs; a mark for the eye, `check` and the gate alone decide. */
function isDone(step: Step, site: SiteTree): boolean {
  const points = list(site.point);
  const running = plant.site.value;
  switch (step) {
    case 'site':
      return site.site.id !== '' && site.site.name.zh !== '' && list(site.area).length > 0 && list(site.person).length > 0;
    case 'scan':
      return list(site.device).length > 0;
    case 'points':
      return points.length > 0 && points.every((point) => point.kind === 'discrete' || (point.unit ?? '') !== '');
    case 'limits':
      return site.site.sign_off != null;
    case 'outputs':
      return list(site.output).length > 0 && list(site.effect).length > 0;
    case 'check':
      return running !== null && !running.blank && running.points.length > 0 && running.points.length === points.length;
    case 'arm':
      return running !== null && !running.blank && running.points.length > 0 && running.points.every((point) => point.armed !== false);
    case 'prove':
    case 'report':
      return false;
  }
}
