/** The messages that both faces speak. A face's own stand in its `messages` folder. */

import en from './shared.en.json';
import zh from './shared.zh.json';
import { translator } from './translator';

export const shared = translator({ zh, en });
