import { CairnError } from '@cairn/model';
import { PROTOCOL_LIMITS } from '@cairn/protocol';

const encoder = new TextEncoder();
const USERNAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+-]*$/u;

/**
 * Returns the password if it may be used: at least 8 characters, at most 1024 bytes, nothing else is asked for.
 * Throws `bad-request`.
 */
export function checkPassword(password: string): string {
  if (!password.isWellFormed()) throw new CairnError('bad-request', 'the password is not valid Unicode');
  if (Array.from(password).length < PROTOCOL_LIMITS.minPasswordCharacters) {
    throw new CairnError(
      'bad-request',
      `a password needs at least ${PROTOCOL_LIMITS.minPasswordCharacters} characters; choose a longer one`,
    );
  }
  if (encoder.encode(password).length > PROTOCOL_LIMITS.maxPasswordBytes) {
    throw new CairnError(
      'bad-request',
      `a password can have at most ${PROTOCOL_LIMITS.maxPasswordBytes} bytes; choose a shorter one`,
    );
  }
  return password;
}

/** The username in NFC if it may be used: letters, digits and `. _ @ + -`, not starting with one of those. Throws `bad-name`. */
export function checkUsername(username: string): string {
  const normal = username.isWellFormed() ? username.normalize('NFC') : '';
  if (!USERNAME.test(normal) || Array.from(normal).length > PROTOCOL_LIMITS.maxUsernameCharacters) {
    throw new CairnError(
      'bad-name',
      `a username has 1 to ${PROTOCOL_LIMITS.maxUsernameCharacters} letters, digits, dots, "_", "@", "+" or "-" and starts with a letter or digit; choose another one`,
    );
  }
  return normal;
}

/** The device's name as it is shown, cleaned of control characters. Throws `bad-name` when nothing is left. */
export function checkDeviceName(name: string): string {
  const printable = name
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .trim();
  if (printable === '' || Array.from(printable).length > PROTOCOL_LIMITS.maxDeviceNameCharacters) {
    throw new CairnError(
      'bad-name',
      `a device name has 1 to ${PROTOCOL_LIMITS.maxDeviceNameCharacters} printable characters; choose another one`,
    );
  }
  return printable;
}
