import { start } from '../frame/start';
import { City } from './City';
import { city } from './city';

city.start();
start(<City />);
