import { createTranslator } from '../../strings/translator.ts';

export const previewWords = {
  description: 'Preview of {name}. Left and right arrow show the files beside it.',
  close: 'Close',
  previous: 'Previous file',
  next: 'Next file',
  place: '{index} of {count}',
  download: 'Download',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  fit: 'Fit to window',
  imageLabel: 'Image {name}. Enter shows it in full size.',
  asText: 'Show source',
  asMarkdown: 'Show formatted',
  noneTitle: 'No preview',
  noneText: 'This kind of file cannot be shown here. Download it to open it.',
  brokenTitle: 'It cannot be shown',
  brokenText:
    'Your browser does not understand this file, or the file is damaged. Download it to open it elsewhere.',
  notText: 'This is no text. Download it to open it.',
  empty: 'The file is empty.',
  cut: 'This is the beginning of the file, the first {size}. Download it to see the rest.',
  cutLine: ' … line cut',
  textLabel: 'Text of {name}',
  pdfLabel: 'PDF {name}',
  image: 'Image: {text}',
  imageNoText: 'Image',
  taskDone: 'Done',
  taskOpen: 'To do',
  details: '{size} · changed {at}',
} as const;

export const t = createTranslator(previewWords);
