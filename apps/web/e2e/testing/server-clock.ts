import { readFileSync } from 'node:fs';

// Loaded into a server before all else: its clock then shows what the file says, so that it can have lived through
// weeks when a picture of it is taken. Timers and durations stay real.
const path = process.env['CAIRN_TEST_CLOCK'] ?? '';
const now = Date.now.bind(Date);

Date.now = () => {
  try {
    return now() + Number(readFileSync(path, 'utf8'));
  } catch {
    return now();
  }
};
