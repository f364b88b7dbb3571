#!/usr/bin/env python3
"""notification_server - a scripted notification server on the session bus, with the habits of real ones.

usage: notification_server [HABIT] [--portal ANSWER]

gnome   markup and actions; shows three popups at most and closes the oldest when a fourth comes; a click closes its popup.
kde     markup and actions; refuses what has the same texts as the one before within a second.
bare    no capability at all.

--portal: it is also the desktop portal, whose OpenURI ends with response ANSWER (0 opened, 1 the user declined, 2 failed) or
with a D-Bus error ("error").

Standard input takes one command a line: click ID KEY, close ID. It ends with its standard input.
"""
import argparse, sys, threading, time
import dbus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NOTIFICATIONS = "org.freedesktop.Notifications"
PORTAL = "org.freedesktop.portal.Desktop"
CAPABILITIES = {"gnome": ["actions", "body", "body-markup", "icon-static", "persistence", "sound"],
                "kde": ["body", "body-hyperlinks", "body-markup", "icon-static", "actions", "persistence", "inhibitions"],
                "bare": []}
GNOME_BANNERS_MAX = 3
EXPIRED, DISMISSED = 1, 2


class TooFast(dbus.DBusException):
    _dbus_error_name = NOTIFICATIONS + ".Error.ExcessNotificationGeneration"


class NoPortal(dbus.DBusException):
    _dbus_error_name = "org.freedesktop.portal.Error.Failed"


class Server(dbus.service.Object):
    def __init__(self, bus, habit):
        super().__init__(bus, "/org/freedesktop/Notifications")
        self.habit, self.open, self.last_id, self.last = habit, [], 0, (None, 0)

    @dbus.service.method(NOTIFICATIONS, in_signature="", out_signature="as")
    def GetCapabilities(self):
        return dbus.Array(CAPABILITIES[self.habit], signature="s")

    @dbus.service.method(NOTIFICATIONS, in_signature="", out_signature="ssss")
    def GetServerInformation(self):
        return "scripted", "feedwatch", "1", "1.2"

    @dbus.service.method(NOTIFICATIONS, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
        if self.habit == "kde":
            self.refuse_a_repeat((app, summary, body))
        if replaces in self.open:
            return replaces
        self.last_id += 1
        self.open.append(self.last_id)
        if self.habit == "gnome" and len(self.open) > GNOME_BANNERS_MAX:
            self.NotificationClosed(self.open.pop(0), EXPIRED)
        return self.last_id

    def refuse_a_repeat(self, texts):
        now = time.monotonic()
        if texts == self.last[0] and now - self.last[1] < 1:
            raise TooFast("Created too many similar notifications in quick succession")
        self.last = (texts, now)

    @dbus.service.method(NOTIFICATIONS, in_signature="u", out_signature="")
    def CloseNotification(self, number):
        self.close(number)

    @dbus.service.signal(NOTIFICATIONS, signature="uu")
    def NotificationClosed(self, number, reason):
        pass

    @dbus.service.signal(NOTIFICATIONS, signature="us")
    def ActionInvoked(self, number, key):
        pass

    @dbus.service.signal(NOTIFICATIONS, signature="us")
    def ActivationToken(self, number, token):
        pass

    def close(self, number):
        if number in self.open:
            self.open.remove(number)
            self.NotificationClosed(number, DISMISSED)

    def click(self, number, key):
        self.ActivationToken(number, "token-of-the-click")
        self.ActionInvoked(number, key)
        if self.habit == "gnome":
            self.close(number)


class Request(dbus.service.Object):
    @dbus.service.signal("org.freedesktop.portal.Request", signature="ua{sv}")
    def Response(self, answer, results):
        pass


class Portal(dbus.service.Object):
    def __init__(self, bus, answer):
        super().__init__(bus, "/org/freedesktop/portal/desktop")
        self.bus, self.answer, self.requests = bus, answer, []

    @dbus.service.method("org.freedesktop.portal.OpenURI", in_signature="ssa{sv}", out_signature="o", sender_keyword="sender")
    def OpenURI(self, parent, uri, options, sender):
        if self.answer == "error":
            raise NoPortal("this portal opens nothing")
        name = sender.removeprefix(":").replace(".", "_")
        path = f"/org/freedesktop/portal/desktop/request/{name}/{options.get('handle_token', 't')}"
        self.requests.append(Request(self.bus, path))
        GLib.idle_add(self.requests[-1].Response, dbus.UInt32(int(self.answer)), dbus.Dictionary({}, signature="sv"))
        return dbus.ObjectPath(path)


def read_commands(server, loop):
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "click":
            GLib.idle_add(server.click, dbus.UInt32(int(arguments[0])), arguments[1])
        elif command == "close":
            GLib.idle_add(server.close, int(arguments[0]))
    GLib.idle_add(loop.quit)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("habit", choices=CAPABILITIES, nargs="?", default="gnome")
    parser.add_argument("--portal", choices=["0", "1", "2", "error"])
    options = parser.parse_args()
    DBusGMainLoop(set_as_default=True)
    bus, loop = dbus.SessionBus(), GLib.MainLoop()
    server = Server(bus, options.habit)
    if options.portal:
        portal = Portal(bus, options.portal)
        portal.name = dbus.service.BusName(PORTAL, bus)
    server.name = dbus.service.BusName(NOTIFICATIONS, bus)
    threading.Thread(target=read_commands, args=(server, loop), daemon=True).start()
    loop.run()


main()
