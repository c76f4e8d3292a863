# expect: two: nas_mail_server (from host data, FILE:here): the mail setting of the NAS is declared differently by one; they share it on the NAS [ZT106]
from tests.broken.right import RIGHT

MAIL = {**RIGHT, "nas_mail_from": "nas@home.lan"}

vms = [("@vm/one", {**MAIL, "nas_mail_server": "mail.lan"}), ("@vm/two", {**MAIL, "nas_mail_server": "post.lan"})]  # <- here
