/** Questions to begin with, and the answer to the one that was asked. */
import { answerOf, ask, questionsOf, unask } from '../state/questions';
import { replayOf } from '../state/replay';
import { Copy } from './Copy';
import { useExplorer } from './context';
import './sheets.css';

/** The questions; `onAsk` is told when one was asked, as by a sheet that then closes. */
export function Questions({ onAsk }: { onAsk?: () => void }) {
  const explorer = useExplorer();
  const questions = questionsOf(explorer);
  if (questions.length === 0) return null;
  const put = async (at: number) => {
    const question = questions[at];
    onAsk?.();
    await ask(explorer, question);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (question.key === 'searches' && !still) replayOf(explorer).play();
  };
  return (
    <section class="nb-questions" aria-label="Questions to begin with">
      <h2>Questions to begin with</h2>
      <ul>
        {questions.map(({ key, title, commands }, at) => (
          <li key={key}>
            {commands.length === 0 ? (
              <button type="button" data-question={key} onClick={() => void put(at)}>
                {title}
              </button>
            ) : (
              <details data-question={key}>
                <summary>{title}</summary>
                <p class="nb-note">Traces of searches are made and shown by</p>
                {commands.map((command) => (
                  <Copy key={command} text={command} label="the command" />
                ))}
              </details>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What one sees since a question was asked. */
export function Answered() {
  const explorer = useExplorer();
  const answer = answerOf(explorer).value;
  return (
    <div role="status" class="nb-answer-place">
      {answer !== null && (
        <div class="nb-answer">
          <div class="nb-row">
            <h2>{answer.question.title}</h2>
            <button
              type="button"
              class="nb-icon"
              aria-label="Close the answer"
              onClick={() => (answerOf(explorer).value = null)}
            >
              ×
            </button>
          </div>
          <p data-answer={answer.says === null ? undefined : answer.question.key}>
            {answer.says ?? 'Looking…'}
          </p>
          <button type="button" onClick={() => unask(explorer)}>
            Back to before
          </button>
        </div>
      )}
    </div>
  );
}
