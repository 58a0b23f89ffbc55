import { Button } from '../control/Button';
import { language } from '../i18n/language';
import { shared } from '../i18n/shared';
import { theme, THEMES, type Theme } from '../theme/theme';
import { Icon, type IconName } from './Icon';

const ICONS: Record<Theme, IconName> = { auto: 'auto', light: 'sun', dark: 'moon' };

/** Language and theme: choices of this screen, not of a person. */
export function Choices() {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'auto';
  return (
    <>
      <Button look="plain" icon title={shared('frame.language')} onPress={() => void (language.value = language.value === 'zh' ? 'en' : 'zh')}>
        {shared('frame.language-other')}
        <span class="hidden">{shared('frame.language')}</span>
      </Button>
      <Button look="plain" icon label={shared('frame.theme', { theme: shared(`theme.${theme.value}`) })} onPress={() => void (theme.value = next)}>
        <Icon name={ICONS[theme.value]} />
      </Button>
    </>
  );
}
