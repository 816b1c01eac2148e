import { PEER_NAMES, type PeerName } from '../measurement.ts';
import { cairn } from './cairn.ts';
import type { PeerKind } from './peer.ts';
import { rclone } from './rclone.ts';
import { rsync } from './rsync.ts';
import { syncthing } from './syncthing.ts';
import { unison } from './unison.ts';

const KINDS: Readonly<Record<PeerName, PeerKind>> = { cairn, rsync, rclone, unison, syncthing };

/** All peers, in the order of {@link PEER_NAMES}. */
export const PEER_KINDS: readonly PeerKind[] = PEER_NAMES.map((name) => KINDS[name]);
