import { start } from '../frame/start';
import { Plant } from './Plant';
import { plant } from './plant';

plant.start();
start(<Plant />);
