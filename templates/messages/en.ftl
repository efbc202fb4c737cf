# English. The sentences of the hosted pages, in the order in which a person meets them. A translator copies this file,
# names it by the language's tag and adds one line to SOURCES in src/platform/words.rs. Plain words, no blame, never
# "invalid"; buttons say what happens; app names, hosts and people's names come as arguments and stay as they are.

# Which way the language is written: ltr or rtl.
direction = ltr

## Every page

# A page's title while something on it has to be put right, or on the error page.
error-title = Error: { $title }
summary-title =
    { $count ->
        [one] One thing needs another look
       *[other] { $count } things need another look
    }
optional = optional
# The short words stand on the button and begin the long ones, which are what a screen reader says.
show-password = Show
show-password-label = Show the password
hide-password = Hide
hide-password-label = Hide the password
next-host = Next you go to { $host }.

## Sign in

sign-in-title = Sign in to { $app }
sign-in-lead = With your { $brand } account.
sign-in-name = Email or username
password = Password
remember = Keep me signed in
remember-hint = For 30 days. Only on a device that is yours.
sign-in = Sign in
forgot-password = Forgot your password?
reset-instead = Choose a new password
or = or
sign-up-question = New here?
sign-up-link = Create an account

sign-in-refused = That name and password do not match an account. Check both and try again.
sign-in-throttled =
    { $minutes ->
        [one] There were too many attempts. Wait one minute, then try again.
       *[other] There were too many attempts. Wait { $minutes } minutes, then try again.
    }
sign-in-busy = Many people are signing in right now. Wait a few seconds, then try again.
account-disabled = This account is switched off. Whoever runs this service can switch it on again.
form-expired = This page was open for a long time. Nothing is lost: send it once more.

## Other providers

provider-button = Continue with { $provider }
organisation = Use my organisation’s sign-in
organisation-unknown = No organisation here signs in with this address. Use your password, or check the address.
link-title = You have an account here already
link-lead = { $provider } says that this address is yours, and there is an account with it. Show once that the account is yours too; from then on you can sign in with { $provider }.
link-address-title = Is this your address?
link-address-lead = { $provider } does not say whose it is. We mail you a code; type it in here, and you are in.
link-password = Your password for { $brand }
link-account = Link and sign in
link-cancel = Sign in another way
link-impossible = That cannot be shown here: the account has no password, and this service sends no mails. Sign in as you did before, or ask the people who run it.
send-code = Mail me a code
send-code-again = Send another code
code = Code from the mail
code-hint = Eight digits, in your mailbox within a minute. It is good for a quarter of an hour.
code-wrong = This is not the code of the latest mail. After five wrong ones you need another.
verify-code = Sign in
password-wrong = This is not the account’s password.
password-unverified = The account’s address was never confirmed. Have a code mailed to you instead.
ways-in-add = Connect { $provider }
provider-unknown-title = You cannot sign in this way
provider-unknown = Signing in with { $provider } is not offered here, or no longer.
provider-state-title = Start signing in again
provider-state = This page is good once, in the browser where you began, and only for a while. Start again; it takes one click.
provider-denied-title = You are not signed in
provider-denied = You did not let { $provider } tell us who you are. Try again, or sign in another way.
provider-failed-title = { $provider } could not sign you in
provider-failed = Its answer was not one that can be relied on. Try again. If it happens again, sign in another way and give the reference below to the people who run this service.
provider-down-title = { $provider } does not answer
provider-down = Nothing is wrong with your account. Wait a little and try again, or sign in another way.
provider-stale-title = You have to sign in anew
provider-stale = The app wants a sign-in of this moment, and { $provider } does not say that it was one. Sign out there first, or sign in another way.
provider-stranger-title = There is no account for you here
provider-stranger = { $provider } has told us who you are, but new accounts are not made this way. Ask the people who run this service for one.
provider-refused-title = You cannot sign in
provider-refused = Your account is switched off, or something about it changed a moment ago. Try again; if it does not help, ask the people who run this service.
provider-taken-title = This account belongs to somebody else
provider-taken = The account at { $provider } signs somebody else in here. Choose another one there.
provider-link-stale-title = Sign in once more first
provider-link-stale = A new way to sign in can be added for a quarter of an hour after signing in. Sign out, sign in again, and add it then.
provider-link-unverified-title = Confirm your address first
provider-link-unverified = A new way to sign in is added to an account whose address is confirmed. Open the link that was mailed to you, or choose “Forgot your password?” on the sign-in page.

## Create an account

sign-up-title = Create your { $brand } account
sign-up-lead = To go on to { $app }.
email = Email
name = Name
name-hint = What apps may call you.
username = Username
username-hint = A short name to sign in with. Letters, digits, dots, hyphens and underscores.
new-password-hint = At least { $min } characters. Several words in a row are easy to remember and hard to guess.
sign-up = Create account
sign-in-question = Have an account already?

field-required = Fill this in.
email-malformed = Write the whole address, like ada@example.org.
email-unwelcome = Accounts here are for addresses of certain organisations only. Use the address that yours has given you.
email-taken = This address has an account already. Sign in with it instead.
username-malformed = Use letters, digits, dots, hyphens and underscores, and begin with a letter or digit.
username-taken = Somebody has this username already. Choose another one.
name-too-long = Use { $max } characters at most for the name.
field-too-long = Use { $max } characters at most.
password-too-short = Use { $min } characters or more.
password-too-long = Use { $max } characters at most.
password-common = Many people use this password, so it is guessed first. Choose another one.
password-personal = This is too close to your name or address. Choose something that others do not know.
sign-up-refused = No account could be made with these details. If you already have one, sign in instead.
sign-up-throttled =
    { $minutes ->
        [one] Many accounts were made from here just now. Wait one minute, then try again.
       *[other] Many accounts were made from here just now. Wait { $minutes } minutes, then try again.
    }

## A new password, and whose an address is

forgot-title = Choose a new password
forgot-lead = Write the address of your account. We mail you a link to choose a new password by.
send-reset = Mail me the link
mailed-title = Look into your mailbox
forgot-mailed = If there is an account with this address, a mail with a link is on its way to it. It comes within a minute or two; look among the unwanted mails too.
sign-up-mailed = We have sent a mail to the address you gave. Open the link in it to go on. It comes within a minute or two; look among the unwanted mails too.
verify-mailed = If this address is still to be confirmed, a mail with a new link is on its way to it. It comes within a minute or two; look among the unwanted mails too.
reset-title = Choose your new password
reset-effect = Wherever you are signed in now, you will have to sign in again.
new-password = New password
reset-password = Set password
reset-done-title = You have a new password
reset-done = Sign in with it. You were signed out everywhere else.
verify-title = Confirm your address
verify-change-title = Confirm your new address
verify-lead = Press the button to confirm that this address is yours:
verify-email = Confirm address
verify-done-title = Your address is confirmed
verify-done = Nothing else is to be done here.
unverified-title = Confirm your address first
unverified-lead = Before you sign in, open the link in the mail that we sent to
send-again = Send the mail again
link-dead-title = This link does not work any more
link-dead = A link works once and for a limited time, and only the latest of several is good. Start again to get a new one.
address-taken-title = This address belongs to another account
address-taken = Nothing was changed. Sign in with the account that has the address, or choose another address for yours.
mail-throttled =
    { $minutes ->
        [one] Many mails were asked for from here just now. Wait one minute, then try again.
       *[other] Many mails were asked for from here just now. Wait { $minutes } minutes, then try again.
    }

## Consent

consent-title = Allow { $app } to use your account?
consent-who = You are signed in as
consent-can = If you allow it, { $app } can
consent-cannot = { $app } never sees your password and cannot change your account here. You can take this back at any time at /account.
consent-next = Either way you go back to { $host }.
consent-allow = Allow
consent-deny = Don’t allow

scope-openid = Know that it is you when you sign in
scope-profile = See your name, username and picture
scope-email = See your email address
scope-address = See your postal address
scope-phone = See your phone number
scope-offline_access = Keep this access while you are away
scope-roles = See which roles you have
scope-permissions = See what you are allowed to do
scope-attributes = See what you have said about: { $attributes }
scope-other = Use “{ $scope }” for you
scope-other-at = Use “{ $scope }” for you at { $audience }

## Choosing an account

choose-account-title = Continue to { $app }
choose-account-who = You are signed in as
choose-account-continue = Continue as { $person }
choose-account-another = Use another account

## Back to the application

form-post-title = Back to { $host }
form-post-lead = Your browser is taking you there. If nothing happens, go on by yourself.
continue = Continue

## Sign out

sign-out-title = Sign out of { $brand }?
sign-out-who = You are signed in as
sign-out-asked = { $app } asks to sign you out.
sign-out-unread = The app that sent you here could not show that you had signed in to it, so we do not go by what it asks. Whether you sign out is up to you.
sign-out-effect = This ends your session in this browser, also for the apps that you opened with it.
sign-out = Sign out
stay = Stay signed in

# This sentence is on no other page; people and tests look for it.
signed-out-title = You are signed out
# The app's pages are being told; after two seconds the browser goes on by itself.
signed-out-returning = We take you back to { $app } in a moment.
# The name of a frame that nobody sees; screen readers may list it.
signed-out-frame = { $app } ends its session ({ $number } of { $count })
signed-out-advice = You can close this page. On a computer that others use, close the browser too.
back-to = Go back to { $app }
sign-in-again = Sign in again

## Home

home-welcome = Welcome to { $brand }
home-lead = One account for the apps you use.
home-signed-in = You are signed in
home-as = as
sign-out-everywhere = Sign out everywhere
sign-out-everywhere-effect = Everywhere means every browser and device where you signed in. Apps that you allowed to work while you are away keep their access.

## Your account

language-name = English
home-account = Your account
account-title = Your account
account-overview = Overview
account-now = just now
account-minutes-ago =
    { $count ->
        [one] 1 minute ago
       *[other] { $count } minutes ago
    }
account-hours-ago =
    { $count ->
        [one] 1 hour ago
       *[other] { $count } hours ago
    }
account-days-ago =
    { $count ->
        [one] 1 day ago
       *[other] { $count } days ago
    }
account-day =
    { $day } { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    } { $year }
account-part = Page { $number } of { $of }
account-part-before = Newer
account-part-after = Older
account-gone = That is not there any more. This is how things stand now.
account-save = Save
account-saved = Saved.
account-overtaken = Your account was changed in another place while you typed. What you typed is still here, and beside it what was saved there. Look through it, then save.
account-meanwhile = Saved meanwhile: { $value }
account-too-much = This is more than we can keep. Shorten it, then save.

account-profile-title = Profile
account-profile-lead = Nothing here has to be filled in. Apps see of it what you allow them.
account-group-names = Names
account-group-contact = How to reach you
account-group-about = About you
account-group-address = Address
account-group-more = More
account-given-name = First name
account-middle-name = Middle names
account-family-name = Last name
account-nickname = Nickname
account-phone = Phone
account-phone-hint = With + and the country’s code, like +44 20 7946 0000.
account-website = Website
account-profile-page = Profile page
account-profile-page-hint = A page about you, on a network or at work.
account-birthdate = Date of birth
account-gender = Gender
account-language = Language
account-language-hint = Of these pages and of the mails that you get.
account-language-browser = As the browser has it
account-zone = Time zone
account-zone-hint = A continent and a city, like Europe/Paris.
account-street = Street and number
account-postal-code = Postcode
account-locality = Town or city
account-region = Region or state
account-country = Country
account-address-whole = Whole address, as on an envelope
account-lines-hint = One on each line.
account-yes-or-no = Choose yes or no, or leave it open.
account-unsaid = Not said
account-yes = Yes
account-no = No
account-phone-malformed = Write the number with + and the country’s code, like +44 20 7946 0000.
account-url-malformed = Write the whole address, like https://example.org.
account-birthdate-malformed = Write the date as year, month and day, like 1990-12-31.
account-date-malformed = Write the date as year, month and day, like 1990-12-31.
account-zone-malformed = Write a continent and a city, like Europe/Paris.
account-language-malformed = Choose one of the languages.
account-whole-number = Write a whole number.
account-number = Write a number.
account-lines-many = Use 50 lines at most, with { $max } characters at most on each.

account-picture-title = Picture
account-picture-lead = Apps that may see your profile show it beside your name.
account-picture-alt = Your picture
account-picture-none = You have no picture yet.
account-picture-elsewhere = Your picture is at { $host }. We do not fetch it from there for this page.
account-picture-file = Picture
account-picture-hint = PNG, JPEG, WebP or GIF, 5 MiB and 16 megapixels at most. We keep the picture alone, without the place and time that cameras write into it.
account-picture-set = Use this picture
account-picture-remove = Remove picture
account-picture-missing = Choose a file first.
account-picture-done = You have a new picture.
account-picture-removed = Your picture is removed.

account-email-title = Email
account-email-now = Your address is
account-email-none = Your account has no address yet.
account-email-confirmed = Confirmed.
account-email-unconfirmed = Not confirmed yet.
# On the overview, beside the address.
account-email-open = { $email }, not confirmed yet
account-email-verify = Mail me the link to confirm it
account-email-new = New address
account-email-hint = We mail a link there. Nothing changes before you open it, and the address that you have now is told.
account-email-change = Mail me the link
account-email-same = This is the address that you have now.
account-email-off = This service sends no mails, so addresses are changed by the people who run it.
account-email-mailed = Look into the mailbox: a mail with a link is on its way. It comes within a minute or two; look among the unwanted mails too.

account-password-title = Password
account-password-effect = With a new password you stay signed in here. Every other browser and app has to sign in again.
account-password-none = You have no password yet. With one you can sign in without another provider.
account-password-first = Choose a password
account-password-missing = None yet
account-password-current = Your password now
account-password-done = You have a new password. Everywhere but here you are signed out.

account-sessions-title = Where you are signed in
account-sessions-lead = If there is one that you do not know, end it and choose a new password.
account-sessions-count =
    { $count ->
        [one] Here only
       *[other] { $count } browsers
    }
account-session-here = This one
account-session-seen = Active { $when }
account-session-since = Signed in { $day }
account-session-end = End
account-session-ended = It is signed out.
account-sessions-end = End all others
account-sessions-effect = Apps that you allowed to work while you are away keep their access. You take that back under “Apps with access”.
account-sessions-ended = Everywhere but here you are signed out.
account-device-app = An app on { $system }
account-device-unknown = An app or a browser that does not say its name

account-activity-title = What happened
account-activity-lead = Sign-ins and changes of your account, newest first. If there is something that was not you, choose a new password and end all other sessions.
account-activity-none = Nothing yet.
account-activity-newest = Newest
account-activity-administrator = by an administrator
account-did-signed-up = You made this account
account-did-signed-in =
    { $by ->
        [provider] You signed in with { $provider }
       *[other] You signed in
    }
account-did-sign-in-refused = A sign-in failed
account-did-signed-out = You signed out
account-did-signed-out-everywhere = You signed out everywhere
account-did-session-ended = You ended a session
account-did-other-sessions-ended = You ended all other sessions
account-did-password-reset-asked = A link for a new password was asked for
account-did-password-reset = A new password was set with a mailed link
account-did-password-changed = You chose a new password
account-did-email-verified = Your email address was confirmed
account-did-email-change-asked = A new email address was asked for
account-did-email-changed = Your email address was changed
account-did-user-created = Your account was made
account-did-user-changed =
    { $what ->
        [picture] You have a new picture
        [picture_removed] Your picture was removed
        [password] Your password was changed
        [password_hash] Your password was taken over from another service
        [disabled] Your account was switched off
        [enabled] Your account was switched on again
       *[other] Your profile was changed
    }
account-did-role-granted = You were given the role { $role }
account-did-role-revoked = The role { $role } was taken from you
account-did-account-linked = { $provider } was connected
account-did-account-unlinked = { $provider } was disconnected
account-did-consent-given = You allowed { $app } to use your account
account-did-consent-denied = You did not allow { $app } to use your account
account-did-app-withdrawn = You took back what you had allowed { $app }
account-did-api-key-created = An API key was made
account-did-api-key-revoked = An API key was revoked
account-did-export-asked = You asked for your data
account-did-export-ready = Your data was ready to be downloaded
account-did-export-fetched = Your data was downloaded
account-did-deletion-asked = The account was to be deleted
account-did-deletion-taken-back = The account was kept after all

account-apps-title = Apps with access
account-apps-lead = What you have allowed them, until you take it back.
account-apps-none = No app has access to your account.
account-apps-count =
    { $count ->
        [0] None
        [one] 1 app
       *[other] { $count } apps
    }
account-app-since = Since { $day }
account-app-used = last used { $when }
account-app-withdraw = Withdraw
account-app-withdrawn = Its access has ended. To use it again you sign in to it and allow it anew.
account-apps-effect = What an app has taken over already stays with it. To have that deleted, ask the people who run it.

account-providers-title = Other ways to sign in
account-providers-lead = With these accounts you can sign in here.
account-providers-none = You can sign in with an account that you have elsewhere. Connect it first.
account-provider-unlink = Disconnect
account-provider-linked = Connected. From now on you can sign in with it.
account-provider-unlinked = Disconnected. You cannot sign in with it any more.
account-providers-last = This is your only way to sign in, so it stays. Add another one first.

account-confirm-title = Confirm it is you
account-confirm-lead = You signed in a while ago, and this matters. You are signed in as
account-confirm-impossible = There is nothing here to confirm it by. Sign out, sign in again, and come back within a quarter of an hour.
account-confirm-other-title = This is another account
account-confirm-other = The account at { $provider } does not sign you in here. Choose the one that is connected.
account-confirm-stale-title = That was not a fresh sign-in
account-confirm-stale = { $provider } does not say that you have signed in there just now. Use your password instead.

## What is kept of people, and the end of their accounts

export-title = Your data
export-lead = Everything that we keep of you, in one file that programs can read. It holds no passwords and no keys.
export-ask = Put my data together
export-hint = If it is a lot, it takes a while. Come back here then.
export-hint-mail = If it is a lot, it takes a while, and we mail you when it is ready.
export-asked = Asked for { $day }
export-state-ready = { $size } KiB. Here until { $day }.
export-state-waiting = Being put together. Reload this page in a while.
export-state-failed = It could not be put together. Ask for it again; if that does not help, tell the people who run this service.
export-state-over = Not here any more.
export-fetch = Download
export-ready = Your data is here. It can be downloaded below.
export-waits = Your data is being put together.
export-running = Your data is being put together already. Wait until that is done.
export-enough =
    { $hours ->
        [one] You have asked for this often enough for now. You can ask again in 1 hour.
       *[other] You have asked for this often enough for now. You can ask again in { $hours } hours.
    }
leave-section = Delete your account
leave-effect = Your profile, your picture, the ways you sign in and everything that you have allowed apps are deleted. Apps keep what they have taken over themselves. You are signed out everywhere at once.
leave-grace =
    { $count ->
        [0] You can take your account back for less than a day: sign in and keep it.
        [one] For 1 day you can take your account back: sign in and keep it.
       *[other] For { $count } days you can take your account back: sign in and keep it.
    }
leave-at-once = This happens at once, and there is no way back.
leave-sure = Yes, delete my account
leave-ask = Delete account
leave-unsure = Tick the box if you are sure.
leave-asked-title = Your account is going to be deleted
leave-asked = You are signed out everywhere. If you change your mind in time, sign in and keep your account.
leave-gone-title = Your account is deleted
leave-gone = You are signed out everywhere.
leave-title = Your account is to be deleted on { $day }
leave-lead = You are not signed in yet. If you keep your account, everything in it stays as it is; only apps have to be let in again.
leave-keep = Keep my account
leave-go-on = Go on deleting it
leave-goes-title = Your account is still going to be deleted
leave-goes = Nothing has changed, and you are not signed in.
leave-late-title = That took too long
leave-late = Sign in again. If your account is still there, you can keep it then.
leave-link = This account is to be deleted. Sign in with its password on the sign-in page first, and keep it.
leave-json = This account is to be deleted. Sign in on the sign-in page to keep it.
leave-already = This account is to be deleted already.
leave-not = This account is not going to be deleted.

## Error page

# This sentence is on no other page; people and tests look for it.
error-stopped = We had to stop here
restart = Start again
reference = Reference

# Where somebody develops, beneath the words.
trace-title = Why this was refused
trace-hint = This is shown because the server runs with --dev. Elsewhere operators find it with “bonafide trace” and the reference below.
trace-decided = This did not hold
trace-given = Given
trace-expected = Expected
trace-remedy = What would have passed
trace-asked = Asked
trace-passed = Passed before

unknown-client-title = We do not know this app
unknown-client = The app that sent you here is not registered with us, so we cannot sign you in to it. Go back to the app and try again. If that does not help, tell the people who run it.
redirect-unregistered-title = This app wants to send you to an unknown place
redirect-unregistered = To keep your account safe we send you only to addresses that an app has registered with us. Tell the people who run the app that this one is missing: { $uri }
redirect-missing-title = We do not know where to send you
redirect-missing = The app did not say where you should go after signing in. Go back to it and try again. If that does not help, tell the people who run it.
request-malformed-title = The app’s request cannot be read
request-malformed = Go back to the app and try again. If that does not help, tell the people who run it to look at this part of the request: { $parameter }
flow-foreign-title = This sign-in began in another browser
flow-foreign = A sign-in is finished where it began. Start again here; it takes one click.
flow-expired-title = This sign-in took too long
flow-expired = For your safety a sign-in waits only for a while. Start again; it takes one click.
form-refused-title = This form came from another place
form-refused = What was sent did not come from one of our own pages, so we did nothing with it. Start again from the page you meant to use.
logout-unregistered-title = We cannot send you there after signing out
logout-unregistered = You are still signed in. Tell the people who run the app that this address is not registered with us: { $uri }
throttled-title = That was a lot at once
throttled =
    { $minutes ->
        [one] Too much came from where you are. Wait one minute, then try again.
       *[other] Too much came from where you are. Wait { $minutes } minutes, then try again.
    }
unavailable-title = We are busy just now
unavailable = Many people are using this service at the moment. Wait a few seconds, then try again.
server-fault-title = Something went wrong on our side
server-fault = It was not you. Try again in a moment. If it happens again, tell the people who run this service the reference below.
not-found-title = There is nothing here
not-found = The address may have a slip in it, or the page has moved.
method-refused-title = This page cannot be opened this way
method-refused = Go back and use the links and buttons there.
home-link = Go to the start page

## Mails. No names in them: whoever asks for one must not be able to write anything into it.

mail-verify-subject = Confirm your address for { $brand }
mail-verify-lead = An account at { $brand } was made with this address. Confirm that it is yours.
mail-verify-button = Confirm address
mail-verify-otherwise = If you did not make an account, do nothing: the address stays unconfirmed.
mail-reset-subject = Choose a new password for { $brand }
mail-reset-lead = Somebody, most likely you, asked for a new password for your account at { $brand }.
mail-reset-button = Choose a new password
mail-reset-otherwise = If you did not ask, do nothing: your password stays as it is.
mail-change-subject = Confirm your new address for { $brand }
mail-change-lead = Somebody, most likely you, wants to use this address for an account at { $brand } from now on.
mail-change-button = Confirm new address
mail-change-otherwise = If you did not ask, do nothing: the account keeps the address it has.
mail-changing-subject = Another address is wanted for your { $brand } account
mail-changing-lead = Somebody who is signed in to your account at { $brand }, most likely you, wants it to have another address. It keeps this one until the link is opened that was mailed there.
mail-changing-otherwise = If this was not you, choose a new password on the sign-in page at once: then that link does nothing any more.
mail-changed-subject = Your { $brand } account has another address now
mail-changed-lead = From now on mails about your account at { $brand } go to another address, and you sign in with that one.
mail-changed-otherwise = If this was not you, tell the people who run { $brand } at once.
mail-password-subject = Your { $brand } password was changed
mail-password-lead = Your account at { $brand } has a new password. Wherever you were signed in, you have to sign in again.
mail-password-otherwise = If this was not you, choose a new password on the sign-in page at once, and tell the people who run { $brand }.
mail-exists-subject = You have an account at { $brand } already
mail-exists-lead = Somebody, perhaps you, tried to make an account at { $brand } with this address. It has one: sign in with it, or choose a new password if you have forgotten yours.
mail-exists-button = Sign in
mail-exists-otherwise = If this was not you, do nothing: nothing has changed.
mail-new-device-subject = New sign-in to your { $brand } account
mail-new-device-lead = Somebody, most likely you, has signed in to your account at { $brand } on a device that we have not seen you on before.
mail-new-device-button = Choose a new password
mail-new-device-otherwise = If this was you, do nothing. If it was not, choose a new password at once: that ends every sign-in.
mail-way-subject = Your { $brand } account has another way to sign in
mail-way-lead = From now on an account at { $provider } signs in to your { $brand } account.
mail-way-otherwise = If this was not you, choose a new password on the sign-in page at once, and tell the people who run { $brand }.
mail-code-subject = Your code for { $brand }
mail-code-lead = Your code for { $brand }: { $code }. Type it into the page where you asked for it, and nowhere else.
mail-code-otherwise = If you did not ask for it, do nothing, and tell the code to nobody: whoever has it can get into your account.
mail-leave-subject = Your { $brand } account is going to be deleted
mail-leave-lead = Somebody who is signed in to your account at { $brand }, most likely you, has asked for it to be deleted. That happens on { $time }. Until then you can keep it: sign in, and say so.
mail-leave-button = Keep my account
mail-leave-otherwise = If this was not you, sign in, keep your account, and choose a new password at once.
mail-stay-subject = Your { $brand } account stays
mail-stay-lead = Your account at { $brand } is not going to be deleted: somebody, most likely you, has kept it.
mail-stay-otherwise = If this was not you, choose a new password at once: that ends every sign-in.
mail-export-subject = Your data from { $brand } is ready
mail-export-lead = What { $brand } keeps of you is put together. You can download it until { $time }, once you have signed in.
mail-export-button = To your data
mail-export-otherwise = If you did not ask for it, choose a new password on the sign-in page at once.
mail-good =
    { $hours ->
        [one] The link works once, within the next hour.
       *[other] The link works once, within the next { $hours } hours.
    }
mail-link = If the button does not work, open this address:
mail-when = When
mail-where = From
mail-with = With
mail-device = { $browser } on { $system }
mail-time = { $year }-{ $month }-{ $day }, { $time } UTC

## Development: the demo application and the mailbox

dev-note = Development only
dev-app-title = Demo application
dev-app-lead = This stands in for the app that you are building. It signs you in with the authorization code flow and PKCE, through the same public endpoints that your app will use.
dev-app-sign-in = Sign in to the demo
dev-app-failed = The demo could not sign you in
dev-app-mail = Open the mailbox
dev-app-home = Start page
dev-tokens-title = Signed in to the demo
dev-tokens-lead = These are the tokens your app would hold now, and how the demo verified them.
dev-tokens-checks = Verified
dev-tokens-id = ID token
dev-tokens-id-hint = Says who signed in. For the app alone.
dev-tokens-access = Access token
dev-tokens-access-hint = Opens APIs for fifteen minutes.
dev-tokens-userinfo = Userinfo
dev-tokens-userinfo-hint = What the access token brings from /userinfo.
dev-tokens-refresh = Refresh token
dev-tokens-refresh-hint = Gets new tokens, and is replaced each time.
dev-tokens-raw = As it was sent
dev-tokens-header = Header
dev-tokens-again = Refresh the tokens
dev-mail-title = Mailbox
dev-mail-lead = In development no mail leaves this machine. What would have been sent is here.
dev-mail-empty = No mail yet.
dev-mail-to = To
dev-mail-from = From
dev-mail-at = Sent
dev-mail-back = All mail

## What programs are answered (the JSON API); front ends show these sentences to people

api-credentials = Invalid Login Credentials
api-username-exists = Username exists
api-throttled = There were too many attempts. Wait a while, then try again.
api-fields = Something in this request has to be put right.
api-body-malformed = The body of this request is not what this address takes.
api-query-malformed = The query of this request is not what this address takes.
api-field-unknown = This address takes no such member.
api-field-forbidden = You may not set this.
api-field-malformed = This value does not do here.
# Why a setting of an operator's does not do; the reason is English in every language.
api-field-refused = { $field }: { $reason }.
api-not-json = Send the body as application/json.
api-not-multipart = Send the picture as multipart/form-data, in the part "image".
api-picture-heavy = The picture is too large.
picture-heavy = A picture has 5 MiB at most. Save it smaller, then try again.
picture-large = A picture has 16 megapixels at most, and 8192 pixels on a side. Make it smaller, then try again.
picture-foreign = This is no picture that can be shown: send PNG, JPEG, WebP or GIF.
picture-damaged = This picture is damaged. Save it anew, then try again.
api-too-large = The body of this request is too large.
api-incomplete = The body of this request did not arrive.
api-method-refused = This address does not take this method.
api-not-found = There is nothing here, or it is not yours to see.
api-token-missing = Sign in first: this address needs an access token.
api-token-dead = This token is unknown, expired or revoked. Sign in again.
api-token-twice = Show one token, once.
api-forbidden = You may not do this.
api-unproven = You have not shown who you are.
api-signed-out = You are signed out.
api-sign-in-off = Signing in this way is switched off.
api-taken = There is one like this already.
api-account-foreign = This account belongs to somebody else.
api-account-guarded = An administrator’s account is not for other programs to change.
api-provider-of-settings = The settings declare this provider. It is changed there.
api-key-dead = This API key is unknown, expired, revoked or for another API.
api-key-name = A name has 1 to 64 characters.
api-key-scopeless = Say what the key is good for.
api-key-scope = One of these is not for this key: its owner does not hold it, or there is no such thing.
api-key-audience = There is no such API.
api-key-lifetime = A key lives a second at least and 366 days at the most.
api-key-overlap = An old secret goes on for 30 days at the most beside its successor.
api-key-many = There are too many API keys already. Revoke one first.
api-service-account-application = People sign in to this application. It is not removed here.
api-account-last = Without this account the person could not sign in any more.
# { $name } is a permission.
api-permission-unknown = There is no permission “{ $name }”.
# { $name } is a role or a permission.
api-built-in = “{ $name }” is built in: it cannot be declared, changed or removed.
# { $name } is a role.
api-permission-in-use = The role “{ $name }” has this permission. Take it from there first.
api-reauthenticate = This takes a sign-in of a moment ago. Sign in again, then repeat it.
api-password-wrong = This is not your password now.
api-email-asked = If this address can be yours, a link is on its way to it. Your account keeps the address it has until the link is opened.
api-changed = Somebody has changed this account since you read it. Read it again, then repeat your change.
api-last-administrator = This is the last administrator. Make another one first.
api-fault = Something went wrong on our side. Try again in a moment.

# The page of the JSON API; what it describes is English in every language.
docs-title = The JSON API
docs-lead = What front ends can call here, with who may call it, what it takes and what it answers.
docs-openapi = The same as an OpenAPI document
docs-discovery = OAuth and OpenID Connect: the discovery document
docs-accounts = Accounts
docs-adapter = The session adapter
docs-shapes = What goes in and comes out
docs-parameters = Parameters
docs-takes = It takes
docs-gives = It answers
docs-refuses = It refuses with
docs-required = required
docs-who-everybody = Everybody may call it.
docs-who-user = It needs an access token with the scope account, or an API key that was made for that scope.
docs-who-person = It needs an access token with the scope account. API keys are refused.
docs-who-oneself = For oneself only it needs an access token with the scope account. API keys are refused.
docs-who-self = For oneself it needs an access token with the scope account, or an API key that was made for that scope; for others the permission { $permission }, as a person, a service account or by an API key.
docs-who-permission = It needs the permission { $permission }: as a person by an access token with the scope account, as a service account by its own access token, or by an API key that was made for it.
docs-who-secret = It needs the permission { $permission }: as a service account by its id and secret (HTTP Basic) or its own access token, as a person by an access token with the scope account, or by an API key that was made for it.
docs-who-administrator = It needs an access token with the scope account of somebody who has the role admin, or of a service account that has it. API keys are refused.
docs-who-adapter = It needs the adapter’s secret in the header x-auth-secret.
docs-who-linked = Everybody may call it with an ID token of the provider. To sign in by a linked account it needs the adapter’s secret in the header x-auth-secret.
docs-who-refresh = It takes a refresh token: in the header, as “Authorization: Refresh TOKEN”, or in the body.
api-policies-invalid = The policies do not validate; nothing was published.
api-policies-moved = Another version is in force by now: look at it, and publish again.
