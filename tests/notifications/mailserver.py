"""A mail server of a few words, for one test at a time."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: At which word of the conversation it does what.
Answers = dict[str, str]
BREAK = "break"


class _Conversation(socketserver.StreamRequestHandler):
    """One mail after another, until QUIT."""

    server: MailServer

    def handle(self) -> None:
        """Speak as much SMTP as a client needs."""
        self._say("220 hall")
        while line := self.rfile.readline().decode().strip():
            word = line.split(":")[0].split(" ")[0].upper()
            answer = self.server.answers.get(word, "250 ok")
            if word == "DATA" and answer == "250 ok":
                self._say("354 go on")
                text = ""
                while (line := self.rfile.readline().decode()) != ".\r\n":
                    text += line
                answer = self.server.answers.get("END", "250 taken")
                if answer != BREAK:
                    self.server.mails.append(text)
            if answer == BREAK:
                return
            self._say("221 bye" if word == "QUIT" else answer)
            if word == "QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a port of its own; keeps what it takes."""

    daemon_threads = True

    def __init__(self, answers: Answers) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.answers, self.mails = answers, list[str]()


@contextmanager
def mail_server(**answers: str) -> Iterator[MailServer]:
    """Run a mail server that answers some words in its own way."""
    with MailServer(answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
