# Deutsch. Die Sätze der Seiten und Mails, in der Reihenfolge von en.ftl. Anrede: Sie. Schlichte Worte, keine Vorwürfe;
# Knöpfe sagen, was geschieht.

direction = ltr

## Every page

error-title = Fehler: { $title }
summary-title =
    { $count ->
        [one] Eine Angabe muss noch einmal angesehen werden
       *[other] { $count } Angaben müssen noch einmal angesehen werden
    }
optional = freiwillig
show-password = Zeigen
show-password-label = Zeigen: das Passwort
hide-password = Verbergen
hide-password-label = Verbergen: das Passwort
next-host = Danach gelangen Sie zu { $host }.

## Sign in

sign-in-title = Anmelden bei { $app }
sign-in-lead = Mit Ihrem Konto bei { $brand }.
sign-in-name = E-Mail-Adresse oder Benutzername
password = Passwort
remember = Angemeldet bleiben
remember-hint = Für 30 Tage. Nur auf einem Gerät, das Ihnen gehört.
sign-in = Anmelden
forgot-password = Passwort vergessen?
reset-instead = Neues Passwort wählen
or = oder
sign-up-question = Neu hier?
sign-up-link = Konto anlegen

sign-in-refused = Zu diesem Namen und diesem Passwort gibt es kein Konto. Prüfen Sie beides und versuchen Sie es noch einmal.
sign-in-throttled =
    { $minutes ->
        [one] Es gab zu viele Versuche. Warten Sie eine Minute und versuchen Sie es dann noch einmal.
       *[other] Es gab zu viele Versuche. Warten Sie { $minutes } Minuten und versuchen Sie es dann noch einmal.
    }
sign-in-busy = Gerade melden sich viele Menschen an. Warten Sie einige Sekunden und versuchen Sie es dann noch einmal.
account-disabled = Dieses Konto ist abgeschaltet. Wer diesen Dienst betreibt, kann es wieder einschalten.
form-expired = Diese Seite war lange offen. Es ist nichts verloren: Senden Sie sie noch einmal ab.

## Other providers

provider-button = Weiter mit { $provider }
organisation = Mit meiner Organisation anmelden
organisation-unknown = Mit dieser Adresse meldet sich hier keine Organisation an. Nehmen Sie Ihr Passwort, oder prüfen Sie die Adresse.
link-title = Sie haben hier schon ein Konto
link-lead = { $provider } sagt, dass diese Adresse Ihnen gehört, und zu ihr gibt es ein Konto. Zeigen Sie einmal, dass auch das Konto Ihnen gehört; von da an können Sie sich mit { $provider } anmelden.
link-address-title = Ist das Ihre Adresse?
link-address-lead = { $provider } sagt nicht, wem sie gehört. Wir schicken Ihnen einen Code; tippen Sie ihn hier ein, dann sind Sie angemeldet.
link-password = Ihr Passwort bei { $brand }
link-account = Verbinden und anmelden
link-cancel = Anders anmelden
link-impossible = Hier lässt sich das nicht zeigen: Das Konto hat kein Passwort, und dieser Dienst verschickt keine Mails. Melden Sie sich an wie bisher, oder fragen Sie die, die ihn betreiben.
send-code = Code per Mail schicken
send-code-again = Neuen Code schicken
code = Code aus der Mail
code-hint = Acht Ziffern, binnen einer Minute in Ihrem Postfach. Er gilt eine Viertelstunde.
code-wrong = Das ist nicht der Code der letzten Mail. Nach fünf falschen brauchen Sie einen neuen.
verify-code = Anmelden
password-wrong = Das ist nicht das Passwort des Kontos.
password-unverified = Die Adresse des Kontos wurde nie bestätigt. Lassen Sie sich stattdessen einen Code schicken.
ways-in-add = { $provider } verbinden
provider-unknown-title = So können Sie sich nicht anmelden
provider-unknown = Die Anmeldung mit { $provider } gibt es hier nicht oder nicht mehr.
provider-state-title = Beginnen Sie die Anmeldung noch einmal
provider-state = Diese Seite gilt einmal, in dem Browser, in dem Sie begonnen haben, und nur eine Weile. Beginnen Sie noch einmal; es kostet einen Klick.
provider-denied-title = Sie sind nicht angemeldet
provider-denied = Sie haben { $provider } nicht erlaubt, uns zu sagen, wer Sie sind. Versuchen Sie es noch einmal, oder melden Sie sich anders an.
provider-failed-title = { $provider } konnte Sie nicht anmelden
provider-failed = Auf die Antwort von dort ist kein Verlass. Versuchen Sie es noch einmal. Geschieht es wieder, melden Sie sich anders an und nennen Sie denen, die diesen Dienst betreiben, die Kennung unten.
provider-down-title = { $provider } antwortet nicht
provider-down = Mit Ihrem Konto ist alles in Ordnung. Warten Sie ein wenig und versuchen Sie es noch einmal, oder melden Sie sich anders an.
provider-stale-title = Sie müssen sich neu anmelden
provider-stale = Die Anwendung will eine Anmeldung von jetzt, und { $provider } sagt nicht, dass es eine war. Melden Sie sich erst dort ab, oder melden Sie sich anders an.
provider-stranger-title = Für Sie gibt es hier kein Konto
provider-stranger = { $provider } hat uns gesagt, wer Sie sind, aber neue Konten entstehen so nicht. Bitten Sie die, die diesen Dienst betreiben, um eines.
provider-refused-title = Sie können sich nicht anmelden
provider-refused = Ihr Konto ist abgeschaltet, oder gerade hat sich etwas daran geändert. Versuchen Sie es noch einmal; hilft das nicht, fragen Sie die, die diesen Dienst betreiben.
provider-taken-title = Dieses Konto gehört jemand anderem
provider-taken = Mit dem Konto bei { $provider } meldet sich hier jemand anderes an. Wählen Sie dort ein anderes.
provider-link-stale-title = Melden Sie sich erst noch einmal an
provider-link-stale = Einen neuen Weg zur Anmeldung können Sie bis eine Viertelstunde nach der Anmeldung hinzufügen. Melden Sie sich ab und wieder an, und fügen Sie ihn dann hinzu.
provider-link-unverified-title = Bestätigen Sie erst Ihre Adresse
provider-link-unverified = Ein neuer Weg zur Anmeldung kommt nur zu einem Konto, dessen Adresse bestätigt ist. Öffnen Sie den Link, den Sie per Mail bekommen haben, oder wählen Sie auf der Anmeldeseite „Passwort vergessen?“.

## Create an account

sign-up-title = Konto bei { $brand } anlegen
sign-up-lead = Danach geht es weiter zu { $app }.
email = E-Mail-Adresse
name = Name
name-hint = So dürfen Anwendungen Sie nennen.
username = Benutzername
username-hint = Ein kurzer Name zum Anmelden. Buchstaben, Ziffern, Punkte, Binde- und Unterstriche.
new-password-hint = Mindestens { $min } Zeichen. Mehrere Wörter hintereinander sind leicht zu merken und schwer zu erraten.
sign-up = Konto anlegen
sign-in-question = Haben Sie schon ein Konto?

field-required = Füllen Sie dieses Feld aus.
email-malformed = Schreiben Sie die ganze Adresse, zum Beispiel ada@example.org.
email-unwelcome = Konten gibt es hier nur für Adressen bestimmter Organisationen. Nehmen Sie die Adresse, die Sie von Ihrer haben.
email-taken = Zu dieser Adresse gibt es schon ein Konto. Melden Sie sich damit an.
username-malformed = Verwenden Sie Buchstaben, Ziffern, Punkte, Binde- und Unterstriche, und beginnen Sie mit einem Buchstaben oder einer Ziffer.
username-taken = Diesen Benutzernamen hat schon jemand. Wählen Sie einen anderen.
name-too-long = Der Name darf höchstens { $max } Zeichen lang sein.
field-too-long = Höchstens { $max } Zeichen passen hier hinein.
password-too-short = Verwenden Sie mindestens { $min } Zeichen.
password-too-long = Verwenden Sie höchstens { $max } Zeichen.
password-common = Dieses Passwort verwenden viele, deshalb wird es zuerst ausprobiert. Wählen Sie ein anderes.
password-personal = Das ist Ihrem Namen oder Ihrer Adresse zu ähnlich. Wählen Sie etwas, das andere nicht wissen.
sign-up-refused = Mit diesen Angaben konnte kein Konto angelegt werden. Wenn Sie schon eines haben, melden Sie sich damit an.
sign-up-throttled =
    { $minutes ->
        [one] Von hier aus wurden gerade viele Konten angelegt. Warten Sie eine Minute und versuchen Sie es dann noch einmal.
       *[other] Von hier aus wurden gerade viele Konten angelegt. Warten Sie { $minutes } Minuten und versuchen Sie es dann noch einmal.
    }

## A new password, and whose an address is

forgot-title = Neues Passwort wählen
forgot-lead = Schreiben Sie die Adresse Ihres Kontos. Wir schicken Ihnen einen Link, mit dem Sie ein neues Passwort wählen.
send-reset = Link zuschicken
mailed-title = Sehen Sie in Ihr Postfach
forgot-mailed = Wenn es zu dieser Adresse ein Konto gibt, ist eine Mail mit einem Link dorthin unterwegs. Sie kommt in ein bis zwei Minuten an; sehen Sie auch bei den unerwünschten Mails nach.
sign-up-mailed = Wir haben eine Mail an die angegebene Adresse geschickt. Öffnen Sie den Link darin, dann geht es weiter. Sie kommt in ein bis zwei Minuten an; sehen Sie auch bei den unerwünschten Mails nach.
verify-mailed = Wenn diese Adresse noch zu bestätigen ist, ist eine Mail mit einem neuen Link dorthin unterwegs. Sie kommt in ein bis zwei Minuten an; sehen Sie auch bei den unerwünschten Mails nach.
reset-title = Wählen Sie Ihr neues Passwort
reset-effect = Überall, wo Sie jetzt angemeldet sind, müssen Sie sich danach neu anmelden.
new-password = Neues Passwort
reset-password = Passwort setzen
reset-done-title = Sie haben ein neues Passwort
reset-done = Melden Sie sich damit an. Überall sonst wurden Sie abgemeldet.
verify-title = Bestätigen Sie Ihre Adresse
verify-change-title = Bestätigen Sie Ihre neue Adresse
verify-lead = Drücken Sie den Knopf, um zu bestätigen, dass diese Adresse Ihnen gehört:
verify-email = Adresse bestätigen
verify-done-title = Ihre Adresse ist bestätigt
verify-done = Hier ist nichts weiter zu tun.
unverified-title = Bestätigen Sie zuerst Ihre Adresse
unverified-lead = Öffnen Sie vor dem Anmelden den Link in der Mail, die wir geschickt haben an
send-again = Mail noch einmal schicken
link-dead-title = Dieser Link gilt nicht mehr
link-dead = Ein Link gilt einmal und nur für eine gewisse Zeit, und von mehreren gilt nur der neueste. Beginnen Sie von vorn, um einen neuen zu erhalten.
address-taken-title = Diese Adresse gehört zu einem anderen Konto
address-taken = Es wurde nichts geändert. Melden Sie sich mit dem Konto an, das die Adresse hat, oder wählen Sie für Ihres eine andere.
mail-throttled =
    { $minutes ->
        [one] Von hier aus wurden gerade viele Mails angefordert. Warten Sie eine Minute und versuchen Sie es dann noch einmal.
       *[other] Von hier aus wurden gerade viele Mails angefordert. Warten Sie { $minutes } Minuten und versuchen Sie es dann noch einmal.
    }

## Consent

consent-title = Darf { $app } Ihr Konto verwenden?
consent-who = Sie sind angemeldet als
consent-can = Wenn Sie es erlauben, kann { $app }
consent-cannot = { $app } sieht Ihr Passwort nie und kann Ihr Konto hier nicht ändern. Unter /account können Sie dies jederzeit zurücknehmen.
consent-next = In beiden Fällen gelangen Sie zurück zu { $host }.
consent-allow = Erlauben
consent-deny = Nicht erlauben

scope-openid = erkennen, dass Sie es sind, wenn Sie sich anmelden
scope-profile = Ihren Namen, Ihren Benutzernamen und Ihr Bild sehen
scope-email = Ihre E-Mail-Adresse sehen
scope-address = Ihre Postanschrift sehen
scope-phone = Ihre Telefonnummer sehen
scope-offline_access = diesen Zugang behalten, während Sie fort sind
scope-roles = sehen, welche Rollen Sie haben
scope-permissions = sehen, was Sie tun dürfen
scope-attributes = sehen, was Sie hierzu angegeben haben: { $attributes }
scope-other = „{ $scope }“ für Sie verwenden
scope-other-at = „{ $scope }“ für Sie bei { $audience } verwenden

## Choosing an account

choose-account-title = Weiter zu { $app }
choose-account-who = Sie sind angemeldet als
choose-account-continue = Weiter als { $person }
choose-account-another = Anderes Konto verwenden

## Back to the application

form-post-title = Zurück zu { $host }
form-post-lead = Ihr Browser bringt Sie dorthin. Wenn nichts geschieht, gehen Sie selbst weiter.
continue = Weiter

## Sign out

sign-out-title = Von { $brand } abmelden?
sign-out-who = Sie sind angemeldet als
sign-out-asked = { $app } bittet darum, Sie abzumelden.
sign-out-unread = Die Anwendung, die Sie hierher geschickt hat, konnte nicht zeigen, dass Sie bei ihr angemeldet waren; deshalb richten wir uns nicht nach ihrer Bitte. Ob Sie sich abmelden, entscheiden Sie.
sign-out-effect = Damit endet Ihre Sitzung in diesem Browser, auch für die Anwendungen, die Sie damit geöffnet haben.
sign-out = Abmelden
stay = Angemeldet bleiben

signed-out-title = Sie sind abgemeldet
signed-out-returning = Wir bringen Sie gleich zurück zu { $app }.
signed-out-frame = { $app } beendet die eigene Sitzung ({ $number } von { $count })
signed-out-advice = Sie können diese Seite schließen. An einem Rechner, den auch andere benutzen, schließen Sie auch den Browser.
back-to = Zurück zu { $app }
sign-in-again = Neu anmelden

## Home

home-welcome = Willkommen bei { $brand }
home-lead = Ein Konto für die Anwendungen, die Sie verwenden.
home-signed-in = Sie sind angemeldet
home-as = als
sign-out-everywhere = Überall abmelden
sign-out-everywhere-effect = Überall heißt: in jedem Browser und auf jedem Gerät, wo Sie sich angemeldet haben. Anwendungen, denen Sie erlaubt haben, auch in Ihrer Abwesenheit zu arbeiten, behalten ihren Zugang.

## Your account

language-name = Deutsch
home-account = Ihr Konto
account-title = Ihr Konto
account-overview = Überblick
account-now = gerade eben
account-minutes-ago =
    { $count ->
        [one] vor 1 Minute
       *[other] vor { $count } Minuten
    }
account-hours-ago =
    { $count ->
        [one] vor 1 Stunde
       *[other] vor { $count } Stunden
    }
account-days-ago =
    { $count ->
        [one] vor 1 Tag
       *[other] vor { $count } Tagen
    }
account-day = { $day }.{ $month }.{ $year }
account-part = Seite { $number } von { $of }
account-part-before = Neuere
account-part-after = Ältere
account-gone = Das gibt es nicht mehr. So sieht es jetzt aus.
account-save = Speichern
account-saved = Gespeichert.
account-overtaken = Ihr Konto wurde an anderer Stelle geändert, während Sie geschrieben haben. Was Sie geschrieben haben, steht noch da, und daneben, was dort gespeichert wurde. Sehen Sie es durch und speichern Sie dann.
account-meanwhile = Inzwischen gespeichert: { $value }
account-too-much = Das ist mehr, als wir aufbewahren können. Kürzen Sie es und speichern Sie dann.

account-profile-title = Profil
account-profile-lead = Nichts davon müssen Sie ausfüllen. Anwendungen sehen davon, was Sie ihnen erlauben.
account-group-names = Namen
account-group-contact = So sind Sie zu erreichen
account-group-about = Über Sie
account-group-address = Anschrift
account-group-more = Weiteres
account-given-name = Vorname
account-middle-name = Weitere Vornamen
account-family-name = Nachname
account-nickname = Spitzname
account-phone = Telefon
account-phone-hint = Mit + und der Vorwahl des Landes, wie +49 30 901820.
account-website = Website
account-profile-page = Profilseite
account-profile-page-hint = Eine Seite über Sie, in einem Netzwerk oder bei der Arbeit.
account-birthdate = Geburtsdatum
account-gender = Geschlecht
account-language = Sprache
account-language-hint = Dieser Seiten und der Mails, die Sie bekommen.
account-language-browser = Wie im Browser
account-zone = Zeitzone
account-zone-hint = Ein Kontinent und eine Stadt, wie Europe/Berlin.
account-street = Straße und Hausnummer
account-postal-code = Postleitzahl
account-locality = Ort
account-region = Region oder Bundesland
account-country = Land
account-address-whole = Ganze Anschrift, wie auf einem Umschlag
account-lines-hint = In jeder Zeile eins.
account-yes-or-no = Wählen Sie Ja oder Nein, oder lassen Sie es offen.
account-unsaid = Keine Angabe
account-yes = Ja
account-no = Nein
account-phone-malformed = Schreiben Sie die Nummer mit + und der Vorwahl des Landes, wie +49 30 901820.
account-url-malformed = Schreiben Sie die ganze Adresse, wie https://example.org.
account-birthdate-malformed = Schreiben Sie das Datum als Jahr, Monat und Tag, wie 1990-12-31.
account-date-malformed = Schreiben Sie das Datum als Jahr, Monat und Tag, wie 1990-12-31.
account-zone-malformed = Schreiben Sie einen Kontinent und eine Stadt, wie Europe/Berlin.
account-language-malformed = Wählen Sie eine der Sprachen.
account-whole-number = Schreiben Sie eine ganze Zahl.
account-number = Schreiben Sie eine Zahl.
account-lines-many = Nehmen Sie höchstens 50 Zeilen mit je höchstens { $max } Zeichen.

account-picture-title = Bild
account-picture-lead = Anwendungen, die Ihr Profil sehen dürfen, zeigen es neben Ihrem Namen.
account-picture-alt = Ihr Bild
account-picture-none = Sie haben noch kein Bild.
account-picture-elsewhere = Ihr Bild liegt bei { $host }. Für diese Seite holen wir es nicht von dort.
account-picture-file = Bild
account-picture-hint = PNG, JPEG, WebP oder GIF, höchstens 5 MiB und 16 Megapixel. Wir behalten nur das Bild, ohne Ort und Zeit, die Kameras hineinschreiben.
account-picture-set = Dieses Bild nehmen
account-picture-remove = Bild entfernen
account-picture-missing = Wählen Sie erst eine Datei.
account-picture-done = Sie haben ein neues Bild.
account-picture-removed = Ihr Bild ist entfernt.

account-email-title = E-Mail
account-email-now = Ihre Adresse ist
account-email-none = Ihr Konto hat noch keine Adresse.
account-email-confirmed = Bestätigt.
account-email-unconfirmed = Noch nicht bestätigt.
account-email-open = { $email }, noch nicht bestätigt
account-email-verify = Link zum Bestätigen schicken
account-email-new = Neue Adresse
account-email-hint = Wir schicken einen Link dorthin. Bis Sie ihn öffnen, ändert sich nichts, und an Ihre jetzige Adresse geht ein Hinweis.
account-email-change = Link schicken
account-email-same = Das ist Ihre jetzige Adresse.
account-email-off = Dieser Dienst verschickt keine Mails. Adressen ändern die, die ihn betreiben.
account-email-mailed = Sehen Sie in das Postfach: Eine Mail mit einem Link ist unterwegs. Sie kommt in ein, zwei Minuten; sehen Sie auch bei den unerwünschten Mails nach.

account-password-title = Passwort
account-password-effect = Mit einem neuen Passwort bleiben Sie hier angemeldet. Alle anderen Browser und Anwendungen müssen sich neu anmelden.
account-password-none = Sie haben noch kein Passwort. Mit einem können Sie sich ohne einen anderen Anbieter anmelden.
account-password-first = Passwort wählen
account-password-missing = Noch keins
account-password-current = Ihr jetziges Passwort
account-password-done = Sie haben ein neues Passwort. Überall sonst sind Sie abgemeldet.

account-sessions-title = Hier sind Sie angemeldet
account-sessions-lead = Ist einer dabei, den Sie nicht kennen, beenden Sie ihn und wählen Sie ein neues Passwort.
account-sessions-count =
    { $count ->
        [one] Nur hier
       *[other] { $count } Browser
    }
account-session-here = Dieser
account-session-seen = Aktiv { $when }
account-session-since = Angemeldet am { $day }
account-session-end = Beenden
account-session-ended = Dort sind Sie abgemeldet.
account-sessions-end = Alle anderen beenden
account-sessions-effect = Anwendungen, denen Sie erlaubt haben zu arbeiten, während Sie fort sind, behalten ihren Zugang. Den nehmen Sie unter „Anwendungen mit Zugang“ zurück.
account-sessions-ended = Überall sonst sind Sie abgemeldet.
account-device-app = Eine App auf { $system }
account-device-unknown = Eine App oder ein Browser ohne Namen

account-activity-title = Was geschehen ist
account-activity-lead = Anmeldungen und Änderungen an Ihrem Konto, das Neueste zuerst. Wenn etwas davon nicht von Ihnen war, wählen Sie ein neues Passwort und beenden Sie alle anderen Sitzungen.
account-activity-none = Noch nichts.
account-activity-newest = Zum Neuesten
account-activity-administrator = durch die Verwaltung
account-did-signed-up = Sie haben dieses Konto angelegt
account-did-signed-in =
    { $by ->
        [provider] Sie haben sich mit { $provider } angemeldet
       *[other] Sie haben sich angemeldet
    }
account-did-sign-in-refused = Eine Anmeldung ist gescheitert
account-did-signed-out = Sie haben sich abgemeldet
account-did-signed-out-everywhere = Sie haben sich überall abgemeldet
account-did-session-ended = Sie haben eine Sitzung beendet
account-did-other-sessions-ended = Sie haben alle anderen Sitzungen beendet
account-did-password-reset-asked = Ein Link für ein neues Passwort wurde verlangt
account-did-password-reset = Ein neues Passwort wurde über einen Link aus einer Mail gesetzt
account-did-password-changed = Sie haben ein neues Passwort gewählt
account-did-email-verified = Ihre E-Mail-Adresse wurde bestätigt
account-did-email-change-asked = Eine neue E-Mail-Adresse wurde verlangt
account-did-email-changed = Ihre E-Mail-Adresse wurde geändert
account-did-user-created = Ihr Konto wurde angelegt
account-did-user-changed =
    { $what ->
        [picture] Sie haben ein neues Bild
        [picture_removed] Ihr Bild wurde entfernt
        [password] Ihr Passwort wurde geändert
        [password_hash] Ihr Passwort wurde von einem anderen Dienst übernommen
        [disabled] Ihr Konto wurde gesperrt
        [enabled] Ihr Konto wurde wieder freigegeben
       *[other] Ihr Profil wurde geändert
    }
account-did-role-granted = Sie haben die Rolle { $role } erhalten
account-did-role-revoked = Die Rolle { $role } wurde Ihnen genommen
account-did-account-linked = { $provider } wurde verbunden
account-did-account-unlinked = { $provider } wurde getrennt
account-did-consent-given = Sie haben { $app } den Zugriff auf Ihr Konto erlaubt
account-did-consent-denied = Sie haben { $app } den Zugriff auf Ihr Konto nicht erlaubt
account-did-app-withdrawn = Sie haben { $app } entzogen, was Sie erlaubt hatten
account-did-api-key-created = Ein API-Schlüssel wurde angelegt
account-did-api-key-revoked = Ein API-Schlüssel wurde widerrufen
account-did-export-asked = Sie haben Ihre Daten verlangt
account-did-export-ready = Ihre Daten lagen zum Herunterladen bereit
account-did-export-fetched = Ihre Daten wurden heruntergeladen
account-did-deletion-asked = Das Konto sollte gelöscht werden
account-did-deletion-taken-back = Das Konto wurde doch behalten

account-apps-title = Anwendungen mit Zugang
account-apps-lead = Was Sie ihnen erlaubt haben, bis Sie es zurücknehmen.
account-apps-none = Keine Anwendung hat Zugang zu Ihrem Konto.
account-apps-count =
    { $count ->
        [0] Keine
        [one] 1 Anwendung
       *[other] { $count } Anwendungen
    }
account-app-since = Seit { $day }
account-app-used = zuletzt verwendet { $when }
account-app-withdraw = Zurücknehmen
account-app-withdrawn = Ihr Zugang ist beendet. Um sie wieder zu verwenden, melden Sie sich dort an und erlauben es neu.
account-apps-effect = Was eine Anwendung schon übernommen hat, bleibt bei ihr. Damit es gelöscht wird, wenden Sie sich an die, die sie betreiben.

account-providers-title = Weitere Wege zur Anmeldung
account-providers-lead = Mit diesen Konten können Sie sich hier anmelden.
account-providers-none = Sie können sich mit einem Konto anmelden, das Sie anderswo haben. Verbinden Sie es zuerst.
account-provider-unlink = Trennen
account-provider-linked = Verbunden. Von jetzt an können Sie sich damit anmelden.
account-provider-unlinked = Getrennt. Damit können Sie sich nicht mehr anmelden.
account-providers-last = Das ist Ihr einziger Weg zur Anmeldung, deshalb bleibt er. Fügen Sie erst einen anderen hinzu.

account-confirm-title = Bestätigen Sie, dass Sie es sind
account-confirm-lead = Ihre Anmeldung ist eine Weile her, und das hier ist wichtig. Sie sind angemeldet als
account-confirm-impossible = Hier gibt es nichts, womit sich das bestätigen ließe. Melden Sie sich ab und wieder an, und kommen Sie innerhalb einer Viertelstunde wieder.
account-confirm-other-title = Das ist ein anderes Konto
account-confirm-other = Das Konto bei { $provider } meldet Sie hier nicht an. Wählen Sie das, das verbunden ist.
account-confirm-stale-title = Das war keine neue Anmeldung
account-confirm-stale = { $provider } sagt nicht, dass Sie sich dort gerade angemeldet haben. Nehmen Sie stattdessen Ihr Passwort.

## What is kept of people, and the end of their accounts

export-title = Ihre Daten
export-lead = Alles, was wir über Sie aufbewahren, in einer Datei, die Programme lesen können. Passwörter und Schlüssel sind nicht darin.
export-ask = Meine Daten zusammenstellen
export-hint = Wenn es viel ist, dauert es eine Weile. Kommen Sie dann wieder hierher.
export-hint-mail = Wenn es viel ist, dauert es eine Weile, und wir schreiben Ihnen, wenn es so weit ist.
export-asked = Angefordert { $day }
export-state-ready = { $size } KiB. Hier bis { $day }.
export-state-waiting = Wird zusammengestellt. Laden Sie diese Seite nach einer Weile neu.
export-state-failed = Das ließ sich nicht zusammenstellen. Fordern Sie es noch einmal an; hilft das nicht, sagen Sie denen Bescheid, die diesen Dienst betreiben.
export-state-over = Nicht mehr hier.
export-fetch = Herunterladen
export-ready = Ihre Daten sind da. Sie lassen sich unten herunterladen.
export-waits = Ihre Daten werden zusammengestellt.
export-running = Ihre Daten werden schon zusammengestellt. Warten Sie, bis das fertig ist.
export-enough =
    { $hours ->
        [one] Das haben Sie für jetzt oft genug angefordert. In 1 Stunde geht es wieder.
       *[other] Das haben Sie für jetzt oft genug angefordert. In { $hours } Stunden geht es wieder.
    }
leave-section = Konto löschen
leave-effect = Ihr Profil, Ihr Bild, Ihre Wege zur Anmeldung und alles, was Sie Anwendungen erlaubt haben, werden gelöscht. Anwendungen behalten, was sie selbst übernommen haben. Sie werden sofort überall abgemeldet.
leave-grace =
    { $count ->
        [0] Weniger als einen Tag lang können Sie Ihr Konto zurückholen: Melden Sie sich an und behalten Sie es.
        [one] 1 Tag lang können Sie Ihr Konto zurückholen: Melden Sie sich an und behalten Sie es.
       *[other] { $count } Tage lang können Sie Ihr Konto zurückholen: Melden Sie sich an und behalten Sie es.
    }
leave-at-once = Das geschieht sofort, und es gibt kein Zurück.
leave-sure = Ja, mein Konto löschen
leave-ask = Konto löschen
leave-unsure = Setzen Sie das Häkchen, wenn Sie sicher sind.
leave-asked-title = Ihr Konto wird gelöscht
leave-asked = Sie sind überall abgemeldet. Wenn Sie es sich rechtzeitig anders überlegen, melden Sie sich an und behalten Sie Ihr Konto.
leave-gone-title = Ihr Konto ist gelöscht
leave-gone = Sie sind überall abgemeldet.
leave-title = Ihr Konto soll am { $day } gelöscht werden
leave-lead = Sie sind noch nicht angemeldet. Wenn Sie Ihr Konto behalten, bleibt alles darin, wie es ist; nur Anwendungen müssen Sie wieder einlassen.
leave-keep = Mein Konto behalten
leave-go-on = Weiter löschen
leave-goes-title = Ihr Konto wird weiterhin gelöscht
leave-goes = Es hat sich nichts geändert, und Sie sind nicht angemeldet.
leave-late-title = Das hat zu lange gedauert
leave-late = Melden Sie sich noch einmal an. Wenn es Ihr Konto noch gibt, können Sie es dann behalten.
leave-link = Dieses Konto soll gelöscht werden. Melden Sie sich zuerst auf der Anmeldeseite mit seinem Passwort an, und behalten Sie es.
leave-json = Dieses Konto soll gelöscht werden. Melden Sie sich auf der Anmeldeseite an, um es zu behalten.
leave-already = Dieses Konto soll schon gelöscht werden.
leave-not = Dieses Konto soll nicht gelöscht werden.

## Error page

error-stopped = Hier mussten wir anhalten
restart = Von vorn beginnen
reference = Kennung

# Wo jemand entwickelt, unter den Worten.
trace-title = Warum das abgelehnt wurde
trace-hint = Das steht hier, weil der Server mit --dev läuft. Sonst finden Betreiber es mit „bonafide trace“ und der Kennung unten.
trace-decided = Das traf nicht zu
trace-given = Gegeben
trace-expected = Erwartet
trace-remedy = Was gegangen wäre
trace-asked = Gefragt
trace-passed = Vorher erfüllt

unknown-client-title = Diese Anwendung kennen wir nicht
unknown-client = Die Anwendung, die Sie hierher geschickt hat, ist bei uns nicht eingetragen; deshalb können wir Sie dort nicht anmelden. Gehen Sie zu ihr zurück und versuchen Sie es noch einmal. Hilft das nicht, sagen Sie denen Bescheid, die sie betreiben.
redirect-unregistered-title = Diese Anwendung will Sie an einen unbekannten Ort schicken
redirect-unregistered = Um Ihr Konto zu schützen, schicken wir Sie nur an Adressen, die eine Anwendung bei uns eingetragen hat. Sagen Sie denen, die sie betreiben, dass diese fehlt: { $uri }
redirect-missing-title = Wir wissen nicht, wohin wir Sie schicken sollen
redirect-missing = Die Anwendung hat nicht gesagt, wohin es nach dem Anmelden geht. Gehen Sie zu ihr zurück und versuchen Sie es noch einmal. Hilft das nicht, sagen Sie denen Bescheid, die sie betreiben.
request-malformed-title = Die Anfrage der Anwendung ist nicht lesbar
request-malformed = Gehen Sie zu ihr zurück und versuchen Sie es noch einmal. Hilft das nicht, bitten Sie die, die sie betreiben, diesen Teil der Anfrage anzusehen: { $parameter }
flow-foreign-title = Diese Anmeldung hat in einem anderen Browser begonnen
flow-foreign = Eine Anmeldung endet dort, wo sie begonnen hat. Beginnen Sie hier von vorn; ein Klick genügt.
flow-expired-title = Diese Anmeldung hat zu lange gedauert
flow-expired = Zu Ihrer Sicherheit wartet eine Anmeldung nur eine Weile. Beginnen Sie von vorn; ein Klick genügt.
form-refused-title = Dieses Formular kam von einem anderen Ort
form-refused = Was gesendet wurde, kam nicht von einer unserer Seiten; deshalb haben wir nichts damit getan. Beginnen Sie auf der Seite von vorn, die Sie benutzen wollten.
logout-unregistered-title = Dorthin können wir Sie nach dem Abmelden nicht schicken
logout-unregistered = Sie sind noch angemeldet. Sagen Sie denen, die die Anwendung betreiben, dass diese Adresse bei uns nicht eingetragen ist: { $uri }
throttled-title = Das war viel auf einmal
throttled =
    { $minutes ->
        [one] Von Ihrem Ort kam zu viel. Warten Sie eine Minute und versuchen Sie es dann noch einmal.
       *[other] Von Ihrem Ort kam zu viel. Warten Sie { $minutes } Minuten und versuchen Sie es dann noch einmal.
    }
unavailable-title = Gerade ist viel zu tun
unavailable = Viele Menschen benutzen diesen Dienst in diesem Augenblick. Warten Sie einige Sekunden und versuchen Sie es dann noch einmal.
server-fault-title = Bei uns ist etwas schiefgegangen
server-fault = An Ihnen lag es nicht. Versuchen Sie es gleich noch einmal. Geschieht es wieder, nennen Sie denen, die diesen Dienst betreiben, die Kennung unten.
not-found-title = Hier ist nichts
not-found = Vielleicht ist die Adresse verschrieben, oder die Seite ist umgezogen.
method-refused-title = So lässt sich diese Seite nicht öffnen
method-refused = Gehen Sie zurück und benutzen Sie dort die Links und Knöpfe.
home-link = Zur Startseite

## Mails

mail-verify-subject = Bestätigen Sie Ihre Adresse für { $brand }
mail-verify-lead = Mit dieser Adresse wurde ein Konto bei { $brand } angelegt. Bestätigen Sie, dass sie Ihnen gehört.
mail-verify-button = Adresse bestätigen
mail-verify-otherwise = Wenn Sie kein Konto angelegt haben, tun Sie nichts: Die Adresse bleibt unbestätigt.
mail-reset-subject = Wählen Sie ein neues Passwort für { $brand }
mail-reset-lead = Jemand, wahrscheinlich Sie, hat um ein neues Passwort für Ihr Konto bei { $brand } gebeten.
mail-reset-button = Neues Passwort wählen
mail-reset-otherwise = Wenn Sie nicht darum gebeten haben, tun Sie nichts: Ihr Passwort bleibt, wie es ist.
mail-change-subject = Bestätigen Sie Ihre neue Adresse für { $brand }
mail-change-lead = Jemand, wahrscheinlich Sie, will künftig diese Adresse für ein Konto bei { $brand } verwenden.
mail-change-button = Neue Adresse bestätigen
mail-change-otherwise = Wenn Sie nicht darum gebeten haben, tun Sie nichts: Das Konto behält seine Adresse.
mail-changing-subject = Ihr Konto bei { $brand } soll eine andere Adresse bekommen
mail-changing-lead = Jemand, der in Ihrem Konto bei { $brand } angemeldet ist, wahrscheinlich Sie, will ihm eine andere Adresse geben. Es behält diese, bis der Link geöffnet wird, der dorthin ging.
mail-changing-otherwise = Wenn Sie das nicht waren, wählen Sie sofort auf der Anmeldeseite ein neues Passwort: Dann bewirkt jener Link nichts mehr.
mail-changed-subject = Ihr Konto bei { $brand } hat jetzt eine andere Adresse
mail-changed-lead = Mails zu Ihrem Konto bei { $brand } gehen von jetzt an an eine andere Adresse, und mit dieser melden Sie sich an.
mail-changed-otherwise = Wenn Sie das nicht waren, sagen Sie sofort denen Bescheid, die { $brand } betreiben.
mail-password-subject = Ihr Passwort für { $brand } wurde geändert
mail-password-lead = Ihr Konto bei { $brand } hat ein neues Passwort. Überall, wo Sie angemeldet waren, müssen Sie sich neu anmelden.
mail-password-otherwise = Wenn Sie das nicht waren, wählen Sie sofort auf der Anmeldeseite ein neues Passwort, und sagen Sie denen Bescheid, die { $brand } betreiben.
mail-exists-subject = Sie haben schon ein Konto bei { $brand }
mail-exists-lead = Jemand, vielleicht Sie, wollte mit dieser Adresse ein Konto bei { $brand } anlegen. Es gibt schon eines: Melden Sie sich damit an, oder wählen Sie ein neues Passwort, wenn Sie Ihres vergessen haben.
mail-exists-button = Anmelden
mail-exists-otherwise = Wenn Sie das nicht waren, tun Sie nichts: Es hat sich nichts geändert.
mail-new-device-subject = Neue Anmeldung an Ihrem Konto bei { $brand }
mail-new-device-lead = Jemand, wahrscheinlich Sie, hat sich an Ihrem Konto bei { $brand } auf einem Gerät angemeldet, auf dem wir Sie noch nicht gesehen haben.
mail-new-device-button = Neues Passwort wählen
mail-new-device-otherwise = Wenn Sie das waren, tun Sie nichts. Wenn nicht, wählen Sie sofort ein neues Passwort: Das beendet jede Anmeldung.
mail-way-subject = Zu Ihrem Konto bei { $brand } führt ein weiterer Weg
mail-way-lead = Von jetzt an meldet sich ein Konto bei { $provider } an Ihrem Konto bei { $brand } an.
mail-way-otherwise = Wenn Sie das nicht waren, wählen Sie sofort auf der Anmeldeseite ein neues Passwort, und sagen Sie denen Bescheid, die { $brand } betreiben.
mail-code-subject = Ihr Code für { $brand }
mail-code-lead = Ihr Code für { $brand }: { $code }. Tippen Sie ihn auf der Seite ein, auf der Sie ihn angefordert haben, und nirgends sonst.
mail-code-otherwise = Wenn Sie keinen angefordert haben, tun Sie nichts, und sagen Sie den Code niemandem: Wer ihn hat, kommt in Ihr Konto.
mail-leave-subject = Ihr Konto bei { $brand } wird gelöscht
mail-leave-lead = Jemand, der an Ihrem Konto bei { $brand } angemeldet ist, wahrscheinlich Sie, möchte es löschen lassen. Das geschieht am { $time }. Bis dahin können Sie es behalten: Melden Sie sich an, und sagen Sie es.
mail-leave-button = Mein Konto behalten
mail-leave-otherwise = Wenn Sie das nicht waren, melden Sie sich an, behalten Sie Ihr Konto, und wählen Sie sofort ein neues Passwort.
mail-stay-subject = Ihr Konto bei { $brand } bleibt
mail-stay-lead = Ihr Konto bei { $brand } wird nicht gelöscht: Jemand, wahrscheinlich Sie, hat es behalten.
mail-stay-otherwise = Wenn Sie das nicht waren, wählen Sie sofort ein neues Passwort: Das beendet jede Anmeldung.
mail-export-subject = Ihre Daten von { $brand } sind da
mail-export-lead = Was { $brand } über Sie aufbewahrt, ist zusammengestellt. Sie können es bis { $time } herunterladen, nachdem Sie sich angemeldet haben.
mail-export-button = Zu Ihren Daten
mail-export-otherwise = Wenn Sie das nicht angefordert haben, wählen Sie sofort auf der Anmeldeseite ein neues Passwort.
mail-good =
    { $hours ->
        [one] Der Link gilt einmal, innerhalb der nächsten Stunde.
       *[other] Der Link gilt einmal, innerhalb der nächsten { $hours } Stunden.
    }
mail-link = Wenn der Knopf nicht geht, öffnen Sie diese Adresse:
mail-when = Wann
mail-where = Von
mail-with = Mit
mail-device = { $browser } auf { $system }
mail-time = { $day }.{ $month }.{ $year }, { $time } UTC

## Development: the demo application and the mailbox

dev-note = Nur zur Entwicklung
dev-app-title = Beispielanwendung
dev-app-lead = Sie steht für die Anwendung, die Sie bauen. Sie meldet Sie mit dem Authorization Code Flow und PKCE an, über dieselben öffentlichen Endpunkte, die Ihre Anwendung benutzen wird.
dev-app-sign-in = Bei der Beispielanwendung anmelden
dev-app-failed = Die Beispielanwendung konnte Sie nicht anmelden
dev-app-mail = Postfach öffnen
dev-app-home = Startseite
dev-tokens-title = Angemeldet bei der Beispielanwendung
dev-tokens-lead = Diese Token hätte Ihre Anwendung jetzt, und so hat das Beispiel sie geprüft.
dev-tokens-checks = Geprüft
dev-tokens-id = ID-Token
dev-tokens-id-hint = Sagt, wer sich angemeldet hat. Nur für die Anwendung.
dev-tokens-access = Access-Token
dev-tokens-access-hint = Öffnet Schnittstellen für fünfzehn Minuten.
dev-tokens-userinfo = Userinfo
dev-tokens-userinfo-hint = Was /userinfo für das Access-Token liefert.
dev-tokens-refresh = Refresh-Token
dev-tokens-refresh-hint = Holt neue Token und wird jedes Mal ersetzt.
dev-tokens-raw = Wie es gesendet wurde
dev-tokens-header = Kopf
dev-tokens-again = Token erneuern
dev-mail-title = Postfach
dev-mail-lead = Zur Entwicklung verlässt keine Mail diesen Rechner. Was gesendet worden wäre, steht hier.
dev-mail-empty = Noch keine Mail.
dev-mail-to = An
dev-mail-from = Von
dev-mail-at = Gesendet
dev-mail-back = Alle Mails

## Was Programme zur Antwort bekommen (die JSON-Schnittstelle); ihre Oberflächen zeigen es Menschen

# Die beiden ersten stehen so in den Verträgen der Programme, in jeder Sprache.
api-credentials = Invalid Login Credentials
api-username-exists = Username exists
api-throttled = Das waren zu viele Versuche. Warten Sie etwas und versuchen Sie es noch einmal.
api-fields = An dieser Anfrage ist etwas zu berichtigen.
api-body-malformed = Diese Adresse erwartet einen anderen Inhalt.
api-query-malformed = Diese Adresse erwartet andere Parameter.
api-field-unknown = Diese Angabe kennt die Adresse nicht.
api-field-forbidden = Das dürfen Sie nicht setzen.
api-field-malformed = Dieser Wert passt hier nicht.
api-field-refused = { $field }: { $reason }.
api-not-json = Senden Sie den Inhalt als application/json.
api-not-multipart = Senden Sie das Bild als multipart/form-data, im Teil „image“.
api-picture-heavy = Das Bild ist zu groß.
picture-heavy = Ein Bild hat höchstens 5 MiB. Speichern Sie es kleiner und versuchen Sie es noch einmal.
picture-large = Ein Bild hat höchstens 16 Megapixel und 8192 Bildpunkte an jeder Seite. Verkleinern Sie es und versuchen Sie es noch einmal.
picture-foreign = Das ist kein Bild, das gezeigt werden kann: Senden Sie PNG, JPEG, WebP oder GIF.
picture-damaged = Dieses Bild ist beschädigt. Speichern Sie es neu und versuchen Sie es noch einmal.
api-too-large = Der Inhalt dieser Anfrage ist zu groß.
api-incomplete = Der Inhalt dieser Anfrage ist nicht angekommen.
api-method-refused = Diese Adresse nimmt diese Methode nicht.
api-not-found = Hier ist nichts, oder es ist nicht für Sie bestimmt.
api-token-missing = Melden Sie sich zuerst an: Diese Adresse braucht ein Access-Token.
api-token-dead = Dieses Token ist unbekannt, abgelaufen oder widerrufen. Melden Sie sich neu an.
api-token-twice = Zeigen Sie ein Token, und nur einmal.
api-forbidden = Das dürfen Sie nicht.
api-unproven = Sie haben nicht gezeigt, wer Sie sind.
api-signed-out = Sie sind abgemeldet.
api-sign-in-off = Diese Art der Anmeldung ist ausgeschaltet.
api-taken = So etwas gibt es schon.
api-account-foreign = Dieses Konto gehört jemand anderem.
api-account-guarded = Das Konto einer Administratorin oder eines Administrators ändern andere Programme nicht.
api-provider-of-settings = Dieser Anbieter steht in den Einstellungen und wird dort geändert.
api-key-dead = Dieser API-Schlüssel ist unbekannt, abgelaufen, widerrufen oder für eine andere API.
api-key-name = Ein Name hat 1 bis 64 Zeichen.
api-key-scopeless = Sagen Sie, wofür der Schlüssel gut ist.
api-key-scope = Eines davon ist nicht für diesen Schlüssel: Sein Besitzer hat es nicht, oder es gibt das nicht.
api-key-audience = Eine solche API gibt es nicht.
api-key-lifetime = Ein Schlüssel gilt mindestens eine Sekunde und höchstens 366 Tage.
api-key-overlap = Ein altes Geheimnis gilt neben seinem Nachfolger höchstens 30 Tage weiter.
api-key-many = Es gibt schon zu viele API-Schlüssel. Widerrufen Sie erst einen.
api-service-account-application = Bei dieser Anwendung melden sich Personen an. Sie wird hier nicht entfernt.
api-account-last = Ohne dieses Konto könnte sich die Person nicht mehr anmelden.
# { $name } ist eine Berechtigung.
api-permission-unknown = Die Berechtigung „{ $name }“ gibt es nicht.
# { $name } ist eine Rolle oder eine Berechtigung.
api-built-in = „{ $name }“ ist fest eingebaut und kann nicht angelegt, geändert oder entfernt werden.
# { $name } ist eine Rolle.
api-permission-in-use = Die Rolle „{ $name }“ hat diese Berechtigung. Nehmen Sie sie zuerst dort heraus.
api-reauthenticate = Dazu müssen Sie sich gerade eben angemeldet haben. Melden Sie sich neu an und wiederholen Sie es dann.
api-password-wrong = Das ist nicht Ihr jetziges Passwort.
api-email-asked = Wenn diese Adresse Ihre werden kann, ist ein Link dorthin unterwegs. Ihr Konto behält seine Adresse, bis der Link geöffnet wird.
api-changed = Jemand hat dieses Konto geändert, seit Sie es gelesen haben. Lesen Sie es neu und wiederholen Sie dann Ihre Änderung.
api-last-administrator = Das ist die letzte Person mit der Rolle admin. Ernennen Sie zuerst eine andere.
api-fault = Bei uns ist etwas schiefgegangen. Versuchen Sie es gleich noch einmal.

# The page of the JSON API; what it describes is English in every language.
docs-title = Die JSON-Schnittstelle
docs-lead = Was Anwendungen hier aufrufen können, wer das darf, was hineingeht und was herauskommt.
docs-openapi = Dasselbe als OpenAPI-Dokument
docs-discovery = OAuth und OpenID Connect: das Discovery-Dokument
docs-accounts = Konten
docs-adapter = Der Sitzungsadapter
docs-shapes = Was hineingeht und herauskommt
docs-parameters = Parameter
docs-takes = Erwartet
docs-gives = Antwortet
docs-refuses = Lehnt ab mit
docs-required = nötig
docs-who-everybody = Alle dürfen das aufrufen.
docs-who-user = Nötig ist ein Zugriffstoken mit dem Scope account oder ein API-Schlüssel, der für diesen Scope ausgestellt ist.
docs-who-person = Nötig ist ein Zugriffstoken mit dem Scope account. API-Schlüssel werden abgelehnt.
docs-who-oneself = Nur für sich selbst, mit einem Zugriffstoken mit dem Scope account. API-Schlüssel werden abgelehnt.
docs-who-self = Für sich selbst ist ein Zugriffstoken mit dem Scope account nötig oder ein API-Schlüssel, der für diesen Scope ausgestellt ist; für andere die Berechtigung { $permission }, als Person, als Dienstkonto oder durch einen API-Schlüssel.
docs-who-permission = Nötig ist die Berechtigung { $permission }: als Person durch ein Zugriffstoken mit dem Scope account, als Dienstkonto durch dessen eigenes Zugriffstoken oder durch einen API-Schlüssel, der für sie ausgestellt ist.
docs-who-secret = Nötig ist die Berechtigung { $permission }: als Dienstkonto durch Kennung und Geheimnis (HTTP Basic) oder dessen eigenes Zugriffstoken, als Person durch ein Zugriffstoken mit dem Scope account oder durch einen API-Schlüssel, der für sie ausgestellt ist.
docs-who-administrator = Nötig ist ein Zugriffstoken mit dem Scope account von jemandem mit der Rolle admin oder eines Dienstkontos mit dieser Rolle. API-Schlüssel werden abgelehnt.
docs-who-adapter = Nötig ist das Geheimnis des Adapters im Header x-auth-secret.
docs-who-linked = Mit einem ID-Token des Anbieters dürfen das alle aufrufen. Für die Anmeldung über ein verknüpftes Konto ist das Geheimnis des Adapters im Header x-auth-secret nötig.
docs-who-refresh = Nötig ist ein Refresh-Token: im Header als „Authorization: Refresh TOKEN“ oder im Inhalt.
api-policies-invalid = Die Richtlinien sind nicht gültig; nichts wurde veröffentlicht.
api-policies-moved = Inzwischen gilt eine andere Fassung: sieh sie an und veröffentliche neu.
