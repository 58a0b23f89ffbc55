import { parameter, set } from '../../address/address';
import { Chip } from '../../control/Button';
import { Audit } from '../admin/Audit';
import { People } from '../admin/People';
import { Sites } from '../admin/Sites';
import { city as say } from '../messages';
import '../admin/admin.css';

const PARTS = ['people', 'sites', 'audit'] as const;

/** People and jurisdictions, the registry of sites, and who did what. */
export function Administration() {
  const asked = parameter('part');
  const part = PARTS.find((one) => one === asked) ?? 'people';
  return (
    <div class="place">
      <div class="title">
        <h1 class="grow">{say('place.administration')}</h1>
        <nav class="chips" aria-label={say('admin.parts')}>
          {PARTS.map((one) => (
            <Chip key={one} on={part === one} onToggle={() => set({ part: one === 'people' ? null : one, edit: null, q: null, cursor: null }, 'push')}>
              {say(`admin.${one}`)}
            </Chip>
          ))}
        </nav>
      </div>
      {part === 'people' ? <People /> : part === 'sites' ? <Sites /> : <Audit />}
    </div>
  );
}
