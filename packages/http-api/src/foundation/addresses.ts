import { isIPv6 } from 'node:net';

function plainAddress(address: string): string {
  return address.toLowerCase().startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Whether the address is this machine's own. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || plain.startsWith('127.');
}

/** The first four groups of an IPv6 address: what one household or machine usually has to itself. */
function network64(address: string): string {
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [''];
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  return [...front, ...middle, ...back]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** The key by which anonymous callers are counted: an IPv4 address, or the /64 network of an IPv6 one. */
export function addressKey(address: string): string {
  const plain = plainAddress(address);
  return isIPv6(plain) && !isLoopback(plain) ? `${network64(plain)}::/64` : plain;
}

/** The same, or `null` on loopback: everybody on the machine, or behind a proxy on it, shares that one. */
export function callerAddress(address: string): string | null {
  return isLoopback(address) ? null : addressKey(address);
}
