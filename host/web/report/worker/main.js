// The script of a worker of the audit page.

import { answerQuestions } from './answers.js';

answerQuestions();
