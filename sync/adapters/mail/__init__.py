"""Mail: the text of the messages and the way to the SMTP server."""

from sync.adapters.mail.messages import welcome
from sync.adapters.mail.smtp import SmtpMailer

__all__ = ["SmtpMailer", "welcome"]
