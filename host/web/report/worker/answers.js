export function answerQuestions(){}
