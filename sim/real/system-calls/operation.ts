import { doClientOperation } from './client-operations.ts';
import { doServerOperation } from './server-operations.ts';

/** `node operation.ts NAME ROOT`: does one thing to a prepared folder, and says what it has done as it goes. */
const [name = '', root = ''] = process.argv.slice(2);
if (name.startsWith('server-')) await doServerOperation(name, root);
else await doClientOperation(name, root);
process.stdout.write('done\n');
