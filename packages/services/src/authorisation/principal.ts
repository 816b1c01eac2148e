import type { DeviceId, UserId } from '@cairn/model';

/** For whom a use case acts. Comes from a verified token only, never from what a request says. */
export interface Principal {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly role: 'administrator' | 'member';
}
