"""Mail: the text of the messages and the way to the SMTP server."""

from sync.adapters.mail.messages import languages, welcome
from sync.adapters.mail.smtp import SmtpMailer

__all__ = ["SmtpMailer", "languages", "welcome"]
