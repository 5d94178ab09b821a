-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- Wireshark dissector of what vbet's substrate nodes say to each other (docs/substrate.md, "On the wire"):
-- frames of virtual links by Ethernet type 0x88b5 or UDP port 34997, and control messages on VLI 0.
--
--   tshark -X lua_script:vbet.lua -r wire.pcapng -Y 'vbet.vli == 16'
--   wireshark -X lua_script:vbet.lua, or put it into the folder of personal Lua plugins

local ETHERTYPE = 0x88b5
local UDP_PORT = 34997
local ACH_TYPE = 0x7ff8 -- of an associated channel of MPLS, experimental
local HEAD = 52

local types = {
	[1] = "hello", [2] = "working", [3] = "refused", [4] = "setup", [5] = "setup-ok", [6] = "release",
	[7] = "released", [8] = "failed", [9] = "failed-ok", [10] = "mtu", [11] = "mtu-ok", [12] = "rate",
	[13] = "rate-ok", [14] = "aggregate", [15] = "aggregate-ok", [16] = "join", [17] = "join-ok",
	[18] = "leave", [19] = "left",
}

local vbet = Proto("vbet", "vbet substrate")
local f = {
	vli = ProtoField.uint32("vbet.vli", "VLI"),
	length = ProtoField.uint16("vbet.length", "Length"),
	version = ProtoField.uint8("vbet.msg.version", "Version"),
	type = ProtoField.uint8("vbet.msg.type", "Type", base.DEC, types),
	key = ProtoField.uint16("vbet.msg.key", "Key", base.HEX),
	sequence = ProtoField.uint32("vbet.msg.sequence", "Sequence"),
	sender = ProtoField.uint64("vbet.msg.sender", "Sender", base.HEX),
	receiver = ProtoField.uint64("vbet.msg.receiver", "Receiver", base.HEX),
	link = ProtoField.uint64("vbet.msg.link", "Substrate link", base.HEX),
	number = ProtoField.uint64("vbet.msg.number", "Number"),
	body_length = ProtoField.uint16("vbet.msg.length", "Length of the body"),
	authenticator = ProtoField.uint64("vbet.msg.authenticator", "Authenticator", base.HEX),
	body = ProtoField.string("vbet.msg.body", "Body"),
	vlink = ProtoField.string("vbet.msg.vlink", "Virtual link"),
	vnet = ProtoField.string("vbet.msg.vnet", "vNet"),
}
for _, field in pairs(f) do
	vbet.fields[#vbet.fields + 1] = field
end
local bad = ProtoExpert.new("vbet.bad_length", "The length does not fit the frame",
	expert.group.MALFORMED, expert.severity.ERROR)
vbet.experts = { bad }

local ethernet = Dissector.get("eth_withoutfcs")
local data = Dissector.get("data")

-- A word "key=value" of a body; quotes are left as they are.
local function word(body, key)
	return (" " .. body):match(" " .. key .. "=(%S+)")
end

local function dissect_message(tvb, pinfo, tree)
	if tvb:len() < HEAD then
		tree:add_proto_expert_info(bad)
		return
	end
	local body_length = tvb(40, 2):uint()
	local name = types[tvb(1, 1):uint()] or "?"
	local sub = tree:add(vbet, tvb(0, math.min(tvb:len(), HEAD + body_length)), "Control message: " .. name)

	sub:add(f.version, tvb(0, 1))
	sub:add(f.type, tvb(1, 1))
	sub:add(f.key, tvb(2, 2))
	sub:add(f.sequence, tvb(4, 4))
	sub:add(f.sender, tvb(8, 8))
	sub:add(f.receiver, tvb(16, 8))
	sub:add(f.link, tvb(24, 8))
	sub:add(f.number, tvb(32, 8))
	sub:add(f.body_length, tvb(40, 2))
	sub:add(f.authenticator, tvb(44, 8))
	pinfo.cols.info = "vbet " .. name
	if HEAD + body_length > tvb:len() then
		sub:add_proto_expert_info(bad)
		return
	end
	if body_length == 0 then
		return
	end
	local range = tvb(HEAD, body_length)
	local body = range:string()

	sub:add(f.body, range)
	pinfo.cols.info:append(" " .. body)
	for key, field in pairs({ vlink = f.vlink, vnet = f.vnet }) do
		local value = word(body, key)

		if value then
			sub:add(field, range, value)
		end
	end
end

-- What follows the headers of the substrate link: a message, or a frame of a virtual link.
local function dissect_payload(vli, tvb, pinfo, tree, sub)
	pinfo.cols.protocol = "vbet"
	if vli == 0 then
		dissect_message(tvb, pinfo, sub)
		return
	end
	pinfo.cols.info = "VLI " .. vli
	if tvb:len() >= 14 then
		ethernet:call(tvb, pinfo, tree)
	else
		data:call(tvb, pinfo, tree)
	end
end

-- Ethernet encapsulation: VLI, length.
function vbet.dissector(tvb, pinfo, tree)
	if tvb:len() < 6 then
		return 0
	end
	local vli = tvb(0, 4):uint()
	local length = tvb(4, 2):uint()
	local sub = tree:add(vbet, tvb(0, 6), "vbet substrate, VLI " .. vli)

	sub:add(f.vli, tvb(0, 4))
	sub:add(f.length, tvb(4, 2))
	if length > tvb:len() - 6 then
		sub:add_proto_expert_info(bad)
		length = tvb:len() - 6
	end
	if length > 0 then
		dissect_payload(vli, tvb(6, length):tvb(), pinfo, tree, sub)
	end
	return tvb:len()
end

-- IP/UDP encapsulation: the VLI alone.
local vbet_udp = Proto("vbet_udp", "vbet substrate over UDP")

function vbet_udp.dissector(tvb, pinfo, tree)
	if tvb:len() < 4 then
		return 0
	end
	local vli = tvb(0, 4):uint()
	local sub = tree:add(vbet, tvb(0, 4), "vbet substrate, VLI " .. vli)

	sub:add(f.vli, tvb(0, 4))
	if tvb:len() > 4 then
		dissect_payload(vli, tvb(4):tvb(), pinfo, tree, sub)
	end
	return tvb:len()
end

-- GRE and MPLS: Wireshark knows both, and finds the frames inside by itself; messages have a protocol, and a channel type,
-- of ours.
local vbet_channel = Proto("vbet_channel", "vbet substrate, control channel")

function vbet_channel.dissector(tvb, pinfo, tree)
	local sub = tree:add(vbet, tvb(0, 0), "vbet substrate, VLI 0")

	sub:add(f.vli, 0):set_generated()
	dissect_payload(0, tvb, pinfo, tree, sub)
	return tvb:len()
end

DissectorTable.get("ethertype"):add(ETHERTYPE, vbet)
DissectorTable.get("gre.proto"):add(ETHERTYPE, vbet_channel)
DissectorTable.get("pwach.channel_type"):add(ACH_TYPE, vbet_channel)
DissectorTable.get("udp.port"):add(UDP_PORT, vbet_udp)
