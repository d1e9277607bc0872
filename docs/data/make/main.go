// Command make writes the sample data of the recipes: invented messages to a shop, put together from phrases.
//
//	go run ./docs/data/make
//
// The same program gives the same bytes, on any platform.
package main

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	folder := flag.String("o", filepath.Join("docs", "data"), "folder to write to")
	flag.Parse()
	for name, content := range files() {
		if err := os.WriteFile(filepath.Join(*folder, name), content, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// files are the files with their content.
func files() map[string][]byte {
	w := &writer{random: rand.New(rand.NewPCG(12, 5)), seen: map[string]bool{}}
	train := w.messages(map[string]int{"delivery": 135, "billing": 90, "technical": 35})
	test := w.messages(map[string]int{"delivery": 52, "billing": 35, "technical": 13})
	topics := w.topics(130)
	return map[string][]byte{
		"messages.csv": encode(append([][]string{{"text", "label"}}, train...)),
		"test.csv":     encode(append([][]string{{"text", "label"}}, test...)),
		"topics.csv":   encode(append([][]string{{"text", "labels"}}, topics...)),
	}
}

func encode(rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.WriteAll(rows) // a bytes.Buffer takes everything
	return b.Bytes()
}

// writer invents messages, none of them twice.
type writer struct {
	random *rand.Rand
	seen   map[string]bool
}

var classes = []string{"billing", "delivery", "technical"}

// messages returns rows with a text and a label, in random order.
func (w *writer) messages(counts map[string]int) [][]string {
	var rows [][]string
	for _, class := range classes {
		for range counts[class] {
			rows = append(rows, []string{w.fresh(func() string {
				// A few messages do not say what they are about.
				if w.random.IntN(30) == 0 {
					return w.frame(w.pick(vague))
				}
				return w.frame(w.pick(phrases[class]))
			}), class})
		}
	}
	w.random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}

// topics returns rows with a text and no label, one or two.
func (w *writer) topics(n int) [][]string {
	var rows [][]string
	for range n {
		order := w.random.Perm(len(classes))[:[]int{0, 1, 1, 1, 2, 2}[w.random.IntN(6)]]
		text := w.fresh(func() string {
			if len(order) == 0 {
				return w.fill(w.pick(thanks))
			}
			var parts []string
			for _, k := range order {
				parts = append(parts, w.pick(phrases[classes[k]]))
			}
			return w.fill(strings.Join(parts, " "))
		})
		var labels []string
		for k, class := range classes {
			for _, o := range order {
				if o == k {
					labels = append(labels, class)
				}
			}
		}
		rows = append(rows, []string{text, strings.Join(labels, "|")})
	}
	return rows
}

// fresh returns the first text of make that is new.
func (w *writer) fresh(make func() string) string {
	for {
		if text := make(); !w.seen[text] {
			w.seen[text] = true
			return text
		}
	}
}

func (w *writer) pick(list []string) string { return list[w.random.IntN(len(list))] }

// frame puts a phrase between an opening and a closing, which most messages lack.
func (w *writer) frame(phrase string) string {
	if w.random.IntN(3) == 0 {
		phrase = w.pick(openings) + " " + phrase
	}
	if w.random.IntN(3) == 0 {
		phrase += " " + w.pick(closings)
	}
	text := w.fill(phrase)
	if w.random.IntN(8) == 0 {
		text = strings.ToLower(text)
	}
	return text
}

// fill replaces the names in braces.
func (w *writer) fill(text string) string {
	for {
		before, rest, found := strings.Cut(text, "{")
		if !found {
			return text
		}
		name, after, _ := strings.Cut(rest, "}")
		var value string
		switch name {
		case "order":
			value = fmt.Sprint(40000 + w.random.IntN(60000))
		case "amount":
			value = fmt.Sprintf("%d.%02d", 5+w.random.IntN(190), 5*w.random.IntN(20))
		case "days":
			value = fmt.Sprint(2 + w.random.IntN(12))
		default:
			value = w.pick(fillings[name])
		}
		text = before + value + after
	}
}

var fillings = map[string][]string{
	"item": {"the kettle", "the blue jacket", "the desk lamp", "the shoes", "the coffee grinder", "the backpack", "the headphones",
		"the garden chair", "the rug", "the bicycle pump", "the tent", "the picture frame", "the winter coat", "the toaster"},
	"weekday": {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	"month":   {"January", "March", "April", "June", "August", "October", "November"},
	"device":  {"my phone", "my tablet", "an iPad", "my laptop", "an old Android phone"},
	"browser": {"Firefox", "Chrome", "Safari", "Edge"},
	"city":    {"Leeds", "Utrecht", "Graz", "Porto", "Malmö", "Cork", "Lyon"},
	"way":     {"by card", "by PayPal", "by bank transfer", "with a gift card"},
}

var openings = []string{"Hello,", "Hi,", "Good morning,", "Dear team,", "Hi there!", "Hello again,", "To whom it may concern,", "Second try:", "Order {order}:"}

var closings = []string{"Thanks.", "Thank you in advance!", "Please help.", "This is the second time I write.", "Kind regards", "Please call me back.",
	"I have been a customer for years.", "What can I do?", "Not happy.", "Can you look into it?", "I need an answer by {weekday}."}

var vague = []string{"Nobody answers my mails about order {order}.", "What is going on with order {order}?", "This is about {item}, please call me.",
	"I have a question about my order of {item}.", "Still waiting for an answer since {weekday}."}

var thanks = []string{"Thank you for the quick answer about {item}!", "Do you sell {item} in green as well?", "When is your shop in {city} open on {weekday}?",
	"I love {item}, it is just what I wanted.", "Is {item} made of recycled material?", "Will you have {item} again in {month}?",
	"Greetings from {city}, all is well now.", "Your colleague in {city} was very kind on {weekday}."}

var phrases = map[string][]string{
	"delivery": {
		"My parcel has not arrived, and it should have been here on {weekday}.",
		"Where is order {order}? I have been waiting for {days} days.",
		"The tracking says delivered but there is nothing at my door.",
		"{item} came with a broken box and a big scratch.",
		"I ordered {item} and received something else.",
		"The driver left the parcel in the rain.",
		"The courier never rang, and now I have to fetch it in {city}.",
		"Can I still change the address of order {order}?",
		"I moved to {city}; please send it to my new address.",
		"Half of order {order} is missing.",
		"The tracking number does not work at the carrier.",
		"How long does shipping to {city} take?",
		"I paid for express delivery and it still took {days} days.",
		"I would like to send {item} back, how do I do that?",
		"The return label is missing from the parcel.",
		"My neighbour was given the parcel and she does not know when.",
		"Could you deliver {item} on a {weekday} evening?",
		"It has been stuck at the depot in {city} since {weekday}.",
		"{item} is the wrong size, I want to exchange it.",
		"The parcel was sent back to you although I was at home.",
		"Do you ship to an office in {city}?",
		"Two parcels were announced, only one has come.",
		"You said dispatched on {weekday}, but the carrier knows nothing.",
		"{item} arrived damaged, please send a new one.",
	},
	"billing": {
		"I was charged twice for order {order}.",
		"My card shows {amount} but the invoice says less.",
		"Where is my refund for {item}? I sent it back {days} days ago.",
		"Please send me an invoice with VAT for order {order}.",
		"I paid {way}, and now I get a reminder that I have not.",
		"The discount code was not taken off the price.",
		"Why do you charge {amount} for shipping?",
		"I cancelled in {month} and the subscription is still charged.",
		"There is a charge of {amount} that I do not recognise.",
		"Can I pay {way} instead?",
		"The refund of {amount} has not reached my account.",
		"You took the money twice, please return {amount}.",
		"I need the receipt for {item} for my tax return.",
		"The price in the cart was lower than what I paid.",
		"How much is the fee if I pay in instalments?",
		"My company's name is wrong on the invoice.",
		"Your reminder about {amount} is wrong, I paid on {weekday}.",
		"Please refund the delivery fee of {amount}, it came late.",
		"The gift card has a balance of {amount} but it was refused.",
		"I want my money back for {item}.",
		"The bill for {month} has an item that I never ordered.",
		"Can I change my billing address and card?",
	},
	"technical": {
		"I cannot log in, the password reset mail never comes.",
		"The app crashes when I open the cart on {device}.",
		"The checkout button does nothing in {browser}.",
		"The page of {item} stays blank on {device}.",
		"The payment page shows error 500.",
		"The tracking page says that my session has expired.",
		"Your website is very slow in {browser} since {weekday}.",
		"After the update the app asks for a code that I never get.",
		"My account is locked and I do not know why.",
		"I cannot upload a picture of the damaged {item}.",
		"The invoice download gives an empty file in {browser}.",
		"The search finds nothing, whatever I type.",
		"I get logged out each time I add {item} to the cart.",
		"The form does not accept my address in {city}.",
		"How do I delete my account?",
		"The newsletter link in the mail is broken.",
		"The app shows my orders from last year only.",
		"It says that my email is already in use.",
	},
}
