import { start } from '../frame/start';
import { City } from './City';

start(<City />);
