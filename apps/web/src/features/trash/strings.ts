import { createTranslator } from '../../strings/translator.ts';

export const t = createTranslator({
  title: 'Trash',
  keptDays: {
    one: 'What you delete is kept here for {count} day, then removed for good.',
    other: 'What you delete is kept here for {count} days, then removed for good.',
  },
  keptAll: 'What you delete is kept here until you delete it for good.',
  emptyTitle: 'The trash is empty',
  empty: 'What you delete on any of your devices comes here first, and can be brought back.',
  listLabel: 'What was deleted, newest first',
  wasIn: 'was in {folder}',
  topFolder: 'your files',
  deletedBy: 'deleted {when} on {device}',
  until: 'kept until {date}',
  untilToday: 'will be removed today',
  keptForGood: 'kept',
  restore: 'Restore',
  restoreOne: 'Restore {name}',
  purge: 'Delete for good',
  actions: 'More for {name}',
  select: 'Select {name}',
  selectAll: 'Select all that are loaded',
  selected: { one: '{count} selected', other: '{count} selected' },
  clear: 'Clear selection',
  emptyAction: 'Empty trash',
  emptyConfirmTitle: 'Empty the trash?',
  emptyConfirm: {
    one: 'The one thing in the trash is deleted for good, with all its versions. Nobody can bring it back.',
    other:
      'All {count} things in the trash are deleted for good, with all their versions. Nobody can bring them back.',
  },
  emptyConfirmMore:
    'All things in the trash, more than {count}, are deleted for good, with all their versions. Nobody can bring them back.',
  purgeConfirmTitle: { one: 'Delete {name} for good?', other: 'Delete {count} things for good?' },
  purgeConfirm: {
    one: 'It is deleted with all its versions, and everything in it if it is a folder. Nobody can bring it back.',
    other:
      'They are deleted with all their versions, and everything in the folders among them. Nobody can bring them back.',
  },
  restored: { one: '{name} is back in {folder}', other: '{count} things are back where they were' },
  restoredElsewhere: '{name} is back as {path}, because its old place was taken or gone',
  restoredSomeElsewhere: {
    one: '{count} thing is back under a new name, because its old place was taken or gone',
    other: '{count} things are back, some under new names, because their old places were taken or gone',
  },
  show: 'Show',
  purged: { one: '{count} thing was deleted for good', other: '{count} things were deleted for good' },
  failedSome: '{count} of {total} did not work: {reason}',
  offline: 'That needs the server, which cannot be reached.',
});
