import type { Announcement, DeviceId, SpaceId, UserId } from '@cairn/model';

/** A hint between server processes. It carries no state: losing every one makes sync late, never wrong. */
export type BusEvent =
  | { readonly kind: 'space-advanced'; readonly spaceId: SpaceId; readonly sequence: number }
  | { readonly kind: 'device-revoked'; readonly userId: UserId; readonly deviceId: DeviceId }
  /** For the other devices of this user only: nobody else can read blocks that nobody has committed. */
  | {
      readonly kind: 'transfer-announced';
      readonly userId: UserId;
      /** The device that sends the file. */
      readonly deviceId: DeviceId;
      readonly spaceId: SpaceId;
      readonly announcement: Announcement;
    };

export interface EventBus {
  /** Tells every subscriber of every process, in its own time. Never throws for a lost connection. */
  publish(event: BusEvent): void;
  /** Returns a function that ends the subscription. */
  subscribe(listener: (event: BusEvent) => void): () => void;
  close(): Promise<void>;
}
